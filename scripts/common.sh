# shellcheck shell=bash
# common.sh - what all parts of quickstart share: words, settings, the user
# that everything runs as.  Sourced, never run.  Uses TOP.
# shellcheck disable=SC2034 # the other parts use what is set here

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "warning: $*" >&2; }
die() { printf '%s\n' "error: $*" >&2; exit 1; }

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
BUILD=${FAMILYBOT_BUILD:-$TOP/build}

# What a settings file may set: the options of quickstart and, by the names that
# familybot.conf(5) has for them, those of the bot.
SETTINGS=(PORT PROCESSES SHARDS FAMILYBOT_STATE TELEGRAM_TOKEN OPENAI_API_KEY MONGO_URL REDIS_URL
	DEBUG BOT_USERNAME TELEGRAM_API OPENAI_API TMDB_API PUBLIC_URL SPOOL_MAX SQLITE_SYNC LOG_LEVEL
	DEFAULT_ZONE BODY_MAX STORE_TIMEOUT_MS FENCE_WAIT_MS TMDB_API_KEY)

# What of the caller's environment the programs get: nothing that is secret, as
# whoever may read /proc would read it there.  libfaketime is let through, as the
# caller's own environment may set it (tests with clocks an hour apart do); a
# settings file may not, see SETTINGS.
HANDED=(PATH HOME LANG LC_ALL LC_MESSAGES TZ TMPDIR DEBUG BOT_USERNAME TELEGRAM_API OPENAI_API TMDB_API
	PUBLIC_URL SPOOL_MAX SQLITE_SYNC LOG_LEVEL DEFAULT_ZONE BODY_MAX STORE_TIMEOUT_MS
	FENCE_WAIT_MS FOODS_DB FAMILYBOT_MODULES FAMILYBOT_STATE FAMILYBOT_URL FAMILYBOT_SHARDS
	FAMILYBOT_HOST FAMILYBOT_METRICS_FILE FAMILYBOT_PULSE_FILE FAMILYBOT_SPOOL_DB
	FAMILYBOT_SLOTS_MAP FAMILYBOT_WORKER_SOCKET ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS
	GCOV_PREFIX GCOV_PREFIX_STRIP LD_PRELOAD FAKETIME DONT_FAKE_MONOTONIC FAKETIME_DISABLE_SHM)

# settings_read FILE NAME...: KEY=VALUE lines of these names, put into the
# environment where nothing stands yet; nothing in it is executed.
settings_read() {
	local file=$1 line key value

	shift
	[ -f "$file" ] || return 0
	while IFS= read -r line || [ -n "$line" ]; do
		line=${line#export }
		[[ $line =~ ^[[:space:]]*([A-Za-z_][A-Za-z0-9_]*)=(.*)$ ]] || continue
		key=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]%$'\r'}
		if [[ $value =~ ^\"(.*)\"[[:space:]]*$ || $value =~ ^\'(.*)\'[[:space:]]*$ ]]; then
			value=${BASH_REMATCH[1]}
		fi
		if [[ " $* " != *" $key "* ]]; then
			warn "$file sets $key, which is no setting of quickstart: it is left out"
			continue
		fi
		[ -n "${!key+x}" ] || export "$key=$value"
	done < "$file"
}

# The environment of a program, as arguments of env.
environment_handed() {
	local name

	for name in "${HANDED[@]}"; do
		[ -z "${!name+x}" ] || printf '%s=%s\0' "$name" "${!name}"
	done
}

# As root, the owner of this folder builds and runs everything; where that is
# root, too, familybot or nobody runs it.  DROP and BUILDER are prefixes of
# such commands.
user_choose() {
	local uid gid

	DROP=() BUILDER=() RUN_USER=$(id -un 2> /dev/null) || true
	[ "$(id -u)" = 0 ] || return 0
	uid=$(stat -c %u "$TOP") gid=$(stat -c %g "$TOP")
	if [ "$uid" != 0 ]; then
		BUILDER=(setpriv "--reuid=$uid" "--regid=$gid" --clear-groups --)
	elif uid=$(id -u familybot 2>/dev/null); then
		gid=$(id -g familybot)
	else
		uid=$(id -u nobody) gid=$(id -g nobody)
	fi
	DROP=(setpriv "--reuid=$uid" "--regid=$gid" --clear-groups --no-new-privs --)
	RUN_USER=$(id -un "$uid" 2> /dev/null) || RUN_USER=$uid
	RUN_IDS=$uid:$gid
}

# May the user of the processes get there?
reachable() { "${DROP[@]}" test -x "$1" 2>/dev/null; }

# Where the state is.  A folder below /root cannot be used by another user.
state_choose() {
	local default=$TOP/var

	if [ ${#DROP[@]} -gt 0 ] && ! reachable "$TOP"; then
		default=/var/lib/familybot-quickstart
	fi
	STATE=${FAMILYBOT_STATE:-$default}
	case $STATE in
	/*) ;;
	*) STATE=$PWD/$STATE ;;
	esac
	case $STATE in
	*[[:space:]\"\;\{\}\$\\]*) die "the state directory's path may not hold spaces or any of \" ; { } \$ \\: $STATE" ;;
	esac
	RUN=$STATE/run
	CONF=$STATE/familybot.conf
	CONTROL=$STATE/control
	LOGS=$STATE/log
	SAVED=$CONTROL/quickstart.env
	# A unix socket's path has at most 107 bytes.
	if [ ${#RUN} -gt 88 ]; then
		die "the state directory's path is too long for unix sockets (${#STATE} bytes, at most 84):" \
			"FAMILYBOT_STATE=/some/shorter/path ./quickstart"
	fi
}

# PORT, PROCESSES and SHARDS stay as they were last given.
settings_choose() {
	[ -z "${SHARDS:-}" ] || SHARDS=$(realpath -m "$SHARDS")
	settings_read "$SAVED" PORT PROCESSES SHARDS
	# where the first versions kept them
	[ -f "$SAVED" ] || settings_read "$STATE/quickstart.env" PORT PROCESSES SHARDS
	PORT=${PORT:-8080} PROCESSES=${PROCESSES:-4}
	[[ $PORT =~ ^[0-9]{1,5}$ && $PORT -ge 1 && $PORT -le 65535 ]] ||
		die "PORT is \"$PORT\"; it should be 1 to 65535"
	[[ $PROCESSES =~ ^[0-9]{1,3}$ && $PROCESSES -ge 1 && $PROCESSES -le 256 ]] ||
		die "PROCESSES is \"$PROCESSES\"; it should be 1 to 256"
	URL=http://127.0.0.1:$PORT
}

# Programs run from build/, or from a copy when their user cannot get there.
programs_choose() {
	PROGRAMS=$BUILD
	if [ ${#DROP[@]} -gt 0 ] && ! reachable "$TOP"; then
		PROGRAMS=$STATE/programs
	fi
	export FAMILYBOT_MODULES=$PROGRAMS FOODS_DB=$PROGRAMS/data/foods.db
	export FAMILYBOT_STATE=$STATE FAMILYBOT_URL=$URL
	[ -z "${SHARDS:-}" ] || export FAMILYBOT_SHARDS=$SHARDS
}

# One at a time.  What is started must close descriptor 9.  Only whoever may
# work here can open the file, so that nobody else can hold it.
lock_take() {
	mkdir -p "$CONTROL"
	[ -e "$CONTROL/quickstart.lock" ] || (umask 077 && : > "$CONTROL/quickstart.lock")
	exec 9> "$CONTROL/quickstart.lock"
	flock -w 120 9 || die "another quickstart has been at work on $STATE for two minutes"
}

common_begin() {
	umask 022	# whatever the caller's is, nobody else writes what is made here
	settings_read "$TOP/.env" "${SETTINGS[@]}"
	user_choose
	state_choose
	settings_choose
	programs_choose
}
