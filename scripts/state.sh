# shellcheck shell=bash
# state.sh - makes the state directory: configuration, secrets, shards, the
# files of nginx.  Leaves alone what is there.  Sourced by quickstart.
# shellcheck disable=SC2034 # stack.sh reads NGINX_CHANGED

# Standard input into a file that only the user of the processes can read.  As
# that user, whose folder it may be: root follows no link that somebody put
# there.
secret_write() {
	# shellcheck disable=SC2016 # the inner shell's words
	"${DROP[@]}" sh -c 'umask 077 && rm -f -- "$1.new" && cat > "$1.new" && mv -T -- "$1.new" "$1"' sh "$1"
}

# The folder's owner may put anything there, so root opens nothing in it.
as_user() { "${DROP[@]}" "$@"; }

# A secret from the environment is kept, so that later runs have it too:
# secret_keep OPTION VARIABLE.
secret_keep() {
	local file=$STATE/secrets/$1

	[ -n "${!2:-}" ] || return 0
	[ "$(as_user cat "$file" 2> /dev/null)" = "${!2}" ] && return 0
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
	as_user test -s "$STATE/secrets/telegram_token" || return 0
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
	[ -z "${SHARDS:-}${MONGO_URL:-}" ] && ! as_user test -f "$STATE/secrets/mongo_url" || return 0
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
		-e "s|@RUN@|$RUN|g" -e "s|@LOGS@|$LOGS|g" \
		-e "s|@SOCKET@|$CONTROL/pool.sock|g" "$TOP/nginx/$1" > "$out.new"
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
	nginx_secret
}

# nginx refuses who does not know the secret before it reads a body.
nginx_secret() {
	local out=$STATE/nginx/secret.conf secret

	secret=$(as_user cat "$STATE/secret") || secret=
	(umask 027 && sed "s|@SECRET@|${secret//[!A-Za-z0-9_-]/}|" "$TOP/nginx/secret.conf.in" > "$out.new")
	[ ${#DROP[@]} -eq 0 ] || chown "0:${RUN_IDS#*:}" "$out.new"
	if cmp -s "$out.new" "$out"; then
		rm "$out.new"
	else
		mv "$out.new" "$out"
		NGINX_CHANGED=1
	fi
}

# As root: the state directory and what root reads, runs or writes in it is
# root's; the processes own the folders that they work in, where root opens and
# runs nothing.  What the first versions left to the processes' user is taken
# back: first the folder, so that nothing in it can change meanwhile.
state_own() {
	local folder

	[ ${#DROP[@]} -gt 0 ] || return 0
	chown 0:0 "$STATE"
	chmod 755 "$STATE"
	find -P "$STATE" -maxdepth 1 -type l -user "${RUN_IDS%:*}" -delete
	find -P "$STATE" -maxdepth 1 -type f -links 1 -perm /022 -exec chmod go-w {} +
	# secrets are the processes', as nobody else may read them
	find -P "$STATE" -maxdepth 1 -type f -links 1 -perm /077 -exec chown 0:0 {} +
	find -P "$STATE" -maxdepth 1 -type f -links 1 ! -perm /077 -exec chown "$RUN_IDS" {} +
	for folder in "$CONTROL" "$STATE/nginx" "$STATE/programs"; do
		[ "$(stat -c %u "$folder" 2> /dev/null || echo 0)" = 0 ] || {
			# made by a first version: all of it is made anew below
			rm -rf -- "$folder"
		}
	done
	mkdir -p "$CONTROL" "$STATE/nginx"
	mkdir -p "$STATE/nginx/temp"
	for folder in data run log secrets nginx/temp; do
		[ ! -L "$STATE/$folder" ] || die "$STATE/$folder is a link; the state directory" \
			"itself may be one: FAMILYBOT_STATE=/another/path ./quickstart"
		chown "$RUN_IDS" "$STATE/$folder"
		find -P "$STATE/$folder" -xdev ! -user "${RUN_IDS%:*}" \( -type d -o -type f -links 1 \) \
			-exec chown -h "$RUN_IDS" {} +
	done
}

# Of a first version: which pool serves, and what runs.  Numbers only.
control_move() {
	local file name n

	[ -f "$RUN/generation" ] && [ ! -e "$CONTROL/generation" ] || return 0
	for file in "$RUN"/generation "$RUN"/port "$RUN"/*.pid; do
		name=${file##*/}
		n=$(as_user head -c 12 "$file" 2> /dev/null) || continue
		[[ ! $n =~ ^[0-9]+$ ]] || echo "$n" > "$CONTROL/$name"
	done
	as_user rm -f "$RUN"/generation "$RUN"/port "$RUN"/fingerprint "$RUN"/*.pid
	rm -f "$STATE/quickstart.env" "$STATE/quickstart.lock"
}

state_make() {
	mkdir -p "$STATE" || die "$STATE cannot be made; FAMILYBOT_STATE=/another/path ./quickstart"
	[ ${#DROP[@]} -eq 0 ] || chown 0:0 "$STATE"
	[ ! -L "$CONTROL" ] || rm -f "$CONTROL"
	lock_take
	mkdir -p "$STATE"/{data,run,log,secrets,nginx/temp}
	state_own
	control_move
	as_user chmod 700 "$STATE/secrets" "$STATE/data"
	as_user chmod 750 "$STATE/log"
	programs_place
	[ -f "$STATE/secret" ] || {
		(umask 077 && od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > "$STATE/secret.new")
		mv "$STATE/secret.new" "$STATE/secret"
		[ ${#DROP[@]} -eq 0 ] || chown "$RUN_IDS" "$STATE/secret"
	}
	conf_write
	shards_write
	secret_keep telegram_token TELEGRAM_TOKEN
	username_keep
	secret_keep openai_api_key OPENAI_API_KEY
	secret_keep redis_url REDIS_URL
	[ -f "$STATE/shards.conf" ] || secret_keep mongo_url MONGO_URL
	first_update_write
	nginx_write
	[ ${#DROP[@]} -eq 0 ] || reachable "$STATE/data" || die "user $RUN_USER cannot get to $STATE;" \
		"FAMILYBOT_STATE=/var/lib/familybot ./quickstart"
}
