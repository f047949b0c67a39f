# shellcheck shell=bash
# common.sh - what all parts of quickstart share: words, settings, the user
# that everything runs as.  Sourced, never run.  Uses TOP.
# shellcheck disable=SC2034 # the other parts use what is set here

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "warning: $*" >&2; }
die() { printf '%s\n' "error: $*" >&2; exit 1; }

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
BUILD=${FAMILYBOT_BUILD:-$TOP/build}

# KEY=VALUE lines of a file, put into the environment where nothing stands
# yet; nothing in it is executed.
settings_read() {
	local line key value

	[ -f "$1" ] || return 0
	while IFS= read -r line || [ -n "$line" ]; do
		line=${line#export }
		[[ $line =~ ^[[:space:]]*([A-Za-z_][A-Za-z0-9_]*)=(.*)$ ]] || continue
		key=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]%$'\r'}
		if [[ $value =~ ^\"(.*)\"[[:space:]]*$ || $value =~ ^\'(.*)\'[[:space:]]*$ ]]; then
			value=${BASH_REMATCH[1]}
		fi
		case $key in
		PATH|HOME|USER|IFS|BASH*|LD_*|SHELLOPTS|ENV) continue ;;
		esac
		[ -n "${!key+x}" ] || export "$key=$value"
	done < "$1"
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
	SAVED=$STATE/quickstart.env
	# A unix socket's path has at most 107 bytes.
	if [ ${#RUN} -gt 88 ]; then
		die "the state directory's path is too long for unix sockets (${#STATE} bytes, at most 84):" \
			"FAMILYBOT_STATE=/some/shorter/path ./quickstart"
	fi
}

# PORT, PROCESSES and SHARDS stay as they were last given.
settings_choose() {
	[ -z "${SHARDS:-}" ] || SHARDS=$(realpath -m "$SHARDS")
	settings_read "$SAVED"
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

# One at a time.  What is started must close descriptor 9.
lock_take() {
	exec 9> "$STATE/quickstart.lock"
	flock -w 120 9 || die "another quickstart has been at work on $STATE for two minutes"
}

common_begin() {
	settings_read "$TOP/.env"
	user_choose
	state_choose
	settings_choose
	programs_choose
}
