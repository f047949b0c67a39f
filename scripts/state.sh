# shellcheck shell=bash
# state.sh - makes the state directory: configuration, secrets, shards, the
# files of nginx.  Leaves alone what is there.  Sourced by quickstart.
# shellcheck disable=SC2034 # stack.sh reads NGINX_CHANGED

# The first line of standard input into a file that only its user can read.
secret_write() {
	(umask 077 && cat > "$1.new" && mv "$1.new" "$1")
}

# A secret from the environment is kept, so that later runs have it too:
# secret_keep OPTION VARIABLE.
secret_keep() {
	local file=$STATE/secrets/$1

	[ -n "${!2:-}" ] || return 0
	[ -f "$file" ] && [ "$(cat "$file")" = "${!2}" ] && return 0
	# Another token, another bot.
	[ "$1" != telegram_token ] || sed -i "/$ASKED\$/d" "$CONF"
	printf '%s\n' "${!2}" | secret_write "$file"
	grep -q "^$1_file" "$CONF" || printf '%s_file = "secrets/%s";\n' "$1" "$1" >> "$CONF"
	say "$2 is kept in $file (mode 600); remove it there to forget it"
}

# Marks the line that quickstart may replace.
ASKED='# as Telegram told'

# Groups address the bot by its name.
username_keep() {
	[ -s "$STATE/secrets/telegram_token" ] || return 0
	[ -z "${BOT_USERNAME:-}" ] && ! grep -q '^[[:space:]]*bot_username' "$CONF" || return 0
	bot_name
	[ -z "$BOT_NAME" ] || printf 'bot_username = "%s"; %s\n' "$BOT_NAME" "$ASKED" >> "$CONF"
}

# The time zone of this machine, where its family is likely to live; UTC when
# it has none that tzdata knows.
zone_of_host() {
	local zone

	zone=$(readlink -f /etc/localtime 2> /dev/null) || true
	case $zone in
	/usr/share/zoneinfo/*) zone=${zone#/usr/share/zoneinfo/} ;;
	*) zone=$(head -n 1 /etc/timezone 2> /dev/null) || true ;;
	esac
	case $zone in
	''|*[!A-Za-z0-9_+/-]*|Etc/UTC|Etc/UCT|posix/*|right/*) zone=UTC ;;
	esac
	[ -f "/usr/share/zoneinfo/$zone" ] || zone=UTC
	echo "$zone"
}

shards_write() {
	[ ! -f "$STATE/shards.conf" ] || return 0
	# A server that was named takes the place of embedded shards.
	[ -z "${SHARDS:-}${MONGO_URL:-}" ] && [ ! -f "$STATE/secrets/mongo_url" ] || return 0
	cp "$TOP/shards.conf" "$STATE/shards.conf"
}

conf_write() {
	[ ! -f "$CONF" ] || return 0
	sed -e "s|^webhook_secret_file.*|webhook_secret_file = \"secret\";|" \
		-e "s|^#* *foods_db.*|foods_db = \"$FOODS_DB\";|" \
		-e "s|^default_zone.*|default_zone = \"$(zone_of_host)\";|" \
		-e 's|^state_dir.*|state_dir = ".";|' "$TOP/familybot.conf" > "$CONF.new"
	mv "$CONF.new" "$CONF"
}

settings_save() {
	{
		printf 'PORT=%s\nPROCESSES=%s\n' "$PORT" "$PROCESSES"
		[ -z "${SHARDS:-}" ] || printf 'SHARDS=%s\n' "$SHARDS"
	} > "$SAVED.new"
	mv "$SAVED.new" "$SAVED"
}

# The update that shows that all works.  Sent again word for word, it changes
# nothing: what is stored is named by chat and message.
first_update_write() {
	local file=$STATE/first-update.json text="two eggs, toast with butter and a cup of coffee" lang=en

	[ ! -f "$file" ] || return 0
	case ${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} in
	ru*) text="200 г гречки, 2 яйца и полстакана молока" lang=ru ;;
	esac
	printf '{"update_id":700000001,"message":{"message_id":1,"from":{"id":700000000,%s,%s},"chat":{"id":700000000,%s},"date":%s,"text":"%s"}}\n' \
		'"is_bot":false,"first_name":"Demo"' "\"language_code\":\"$lang\"" \
		'"first_name":"Demo","type":"private"' "$(date +%s)" "$text" > "$file.new"
	mv "$file.new" "$file"
}

# Copies a file for nginx with the names of this state in it; NGINX_CHANGED
# tells whether it is another than before.
nginx_file() {
	local out=$STATE/nginx/${1%.in}

	sed -e "s|@PREFIX@|$STATE/nginx|g" -e "s|@LISTEN@|127.0.0.1:$PORT|g" \
		-e "s|@SOCKET@|$RUN/pool.sock|g" "$TOP/nginx/$1" > "$out.new"
	if cmp -s "$out.new" "$out"; then
		rm "$out.new"
	else
		mv "$out.new" "$out"
		NGINX_CHANGED=1
	fi
}

nginx_write() {
	local file

	NGINX_CHANGED=0
	for file in nginx.conf.in upstream.conf.in http.conf locations.conf fastcgi_params; do
		nginx_file "$file"
	done
	[ ${#DROP[@]} -eq 0 ] || chown "$RUN_IDS" "$STATE"/nginx/*
}

state_make() {
	mkdir -p "$STATE" || die "$STATE cannot be made; FAMILYBOT_STATE=/another/path ./quickstart"
	lock_take
	mkdir -p "$STATE"/{data,run,log,secrets,nginx/temp}
	chmod 700 "$STATE/secrets" "$STATE/data"
	programs_place
	[ -f "$STATE/secret" ] || od -An -N32 -tx1 /dev/urandom | tr -d ' \n' | secret_write "$STATE/secret"
	conf_write
	shards_write
	secret_keep telegram_token TELEGRAM_TOKEN
	username_keep
	secret_keep openai_api_key OPENAI_API_KEY
	secret_keep redis_url REDIS_URL
	[ -f "$STATE/shards.conf" ] || secret_keep mongo_url MONGO_URL
	first_update_write
	nginx_write
	if [ ${#DROP[@]} -gt 0 ]; then
		chown -R "$RUN_IDS" "$STATE"
		reachable "$STATE/data" || die "user $RUN_USER cannot get to $STATE;" \
			"FAMILYBOT_STATE=/var/lib/familybot ./quickstart"
	fi
}
