# shellcheck shell=bash
# status.sh - what runs, for somebody who was woken up; and who the bot is.
# Sourced by quickstart.

since() {
	local seconds now

	now=$(date +%s)
	seconds=$((now - $(stat -c %Y "$CONTROL/$1.pid")))
	printf '%dd %02d:%02d' $((seconds / 86400)) $((seconds % 86400 / 3600)) $((seconds % 3600 / 60))
}

# status_line NAME WORDS: sets BROKEN when it should run and does not.
status_line() {
	if alive "$1"; then
		printf '  %-9s running   pid %-8s for %-12s %s\n' "${1%-*}" "$(pid_of "$1")" "$(since "$1")" "$2"
	else
		printf '  %-9s DOWN      %s\n' "${1%-*}" "$3"
		BROKEN=1
	fi
}

status_pool() {
	local pool n

	pool=pool-$(generation)
	n=$(children_of "$(pid_of "$pool")" | wc -l)
	status_line "$pool" "$n of $PROCESSES processes, generation $(generation)" "see $STATE/log/pool.log"
}

shards_file() {
	if [ -n "${SHARDS:-}" ]; then
		echo "$SHARDS"
	else
		echo "$STATE/shards.conf"
	fi
}

# Names and URIs of shards.conf without passwords.
status_shards() {
	local file

	file=$(shards_file)
	if [ ! -f "$file" ]; then
		say "  shards    one, of mongo_url"
		return 0
	fi
	say "  shards    $file"
	sed -n 's/#.*//; s/.*name *= *"\([^"]*\)".*uri *= *"\([^"]*\)".*/            \1  \2/p' "$file" |
		sed 's|\(://[^:/]*:\).*@|\1***@|'
}

# SQLite files of the shards, for the chat.
shards_sqlite() {
	local path

	[ -f "$(shards_file)" ] || return 0
	sed -n 's/#.*//; s/.*uri *= *"sqlite:\([^"]*\)".*/\1/p' "$(shards_file)" |
	while IFS= read -r path; do
		case $path in
		/*) echo "$path" ;;
		*) echo "$STATE/$path" ;;
		esac
	done
}

status_ready() {
	local answer paused

	answer=$(curl -sS -m 5 -w ' [%{http_code}]' "$URL/readyz" 2>&1) || true
	paused=$(printf '%s' "$answer" | tr '{' '\n' |
		sed -n 's/^"name":"\([^"]*\)".*"state":"paused".*/\1/p' | tr '\n' ' ')
	case $answer in
	*"[200]") say "  ready     yes${paused:+; paused: ${paused% } (what its people write is kept)}" ;;
	*) say "  ready     NO: $answer"; BROKEN=1 ;;
	esac
}

status_print() {
	BROKEN=0
	if [ ! -d "$RUN" ] || { ! alive nginx && ! alive "pool-$(generation)" && ! alive worker; }; then
		say "familybot is stopped (state in $STATE); ./quickstart starts it"
		return 3
	fi
	say "familybot at $URL, state in $STATE, user $RUN_USER"
	status_line nginx "port $PORT" "see $LOGS/nginx-error.log"
	status_pool
	status_line worker "" "see $STATE/log/worker.log"
	if as_user test -s "$STATE/secrets/telegram_token"; then
		status_line poll "fetches from Telegram" "see $STATE/log/poll.log"
	else
		say "  poll      off       no TELEGRAM_TOKEN"
	fi
	status_ready
	status_shards
	say "  logs      $STATE/log"
	[ "$BROKEN" = 0 ] || { say "Something is down: ./quickstart brings it up again"; return 1; }
}

# Sets BOT_NAME, asked of Telegram once; empty when it does not tell.  The token
# goes through standard input: the command line is for everybody to see.
bot_name() {
	local api=${TELEGRAM_API:-https://api.telegram.org}

	[ -z "${BOT_NAME+x}" ] || return 0
	BOT_NAME=$(printf 'url = "%s/bot%s/getMe"\n' "$api" "$(as_user cat "$STATE/secrets/telegram_token")" |
		curl -sS -m 10 -K - 2>/dev/null |
		sed -n 's/.*"username": *"\([A-Za-z0-9_]*\)".*/\1/p') || true
}

bot_tell() {
	as_user test -s "$STATE/secrets/telegram_token" || {
		say "Talk to it here:  ./quickstart chat"
		say "In Telegram:      get a token from @BotFather, then TELEGRAM_TOKEN=... ./quickstart"
		return 0
	}
	bot_name
	if [ -n "$BOT_NAME" ]; then
		say "Your bot is @$BOT_NAME: https://t.me/$BOT_NAME"
	else
		warn "Telegram did not say who the bot is: is the token right, is there a network?" \
			"See $STATE/log/poll.log"
	fi
	say "Talk to it here, too: ./quickstart chat"
}
