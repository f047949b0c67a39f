# shellcheck shell=bash
# stack.sh - starts, replaces and stops nginx, the pool, the worker and the
# poller.  Each has a pid file in control/ and a log in log/.  Whatever is done
# to a process is done as its user, so that a number in a file that is wrong
# reaches nobody else's.  Sourced by
# quickstart.

pid_of() { cat "$CONTROL/$1.pid" 2>/dev/null || echo 0; }

# Is it ours, and not another process that got the number since?
alive() {
	local pid

	pid=$(pid_of "$1")
	[ "$pid" != 0 ] && [ -r "/proc/$pid/cmdline" ] &&
		tr '\0' ' ' < "/proc/$pid/cmdline" 2>/dev/null | grep -qF "$STATE/"
}

generation() { cat "$CONTROL/generation" 2>/dev/null || echo 0; }

# launch NAME COMMAND...: in the background, in a session of its own.
launch() {
	local name=$1 log=$LOGS/$1.log

	shift
	case $name in
	pool-*) log=$LOGS/pool.log ;;
	esac
	local -a handed
	mapfile -d '' -t handed < <(environment_handed)
	# shellcheck disable=SC2016 # the inner shell's words
	setsid "${DROP[@]}" env -i "${handed[@]}" \
		sh -c 'umask 027; log=$1; shift; exec >> "$log" 2>&1; umask 022; exec "$@"' \
		sh "$log" "$@" < /dev/null > /dev/null 2>&1 9>&- &
	echo $! > "$CONTROL/$name.pid"
}

# Waits until a command succeeds: wait_for TENTHS COMMAND...
wait_for() {
	local tenths=$1

	shift
	until "$@"; do
		tenths=$((tenths - 1))
		[ $tenths -gt 0 ] || return 1
		sleep 0.1
	done
}

gone() { ! alive "$1"; }

# end NAME SIGNAL: asks, waits, and only then kills.
end() {
	local pid

	if alive "$1"; then
		pid=$(pid_of "$1")
		as_user kill -s "$2" "$pid" 2>/dev/null ||
			die "$1 (pid $pid) belongs to another user; use the user who started it"
		if ! wait_for 700 gone "$1"; then
			warn "$1 did not end in 70 seconds and is killed"
			as_user kill -s KILL -- "-$pid" 2>/dev/null || as_user kill -s KILL "$pid"
		fi
	fi
	rm -f "$CONTROL/$1.pid"
}

log_tail() {
	as_user tail -n 8 "$LOGS/$1.log" >&2 2> /dev/null || true
}

# The parent (multiwatch) holds the socket, so a process that dies leaves the
# requests that wait to the others.
pool_start() {
	local socket=$RUN/pool-$1.sock

	as_user rm -f "$socket"
	launch "pool-$1" spawn-fcgi -n -s "$socket" -M 0660 -- \
		"$(command -v multiwatch)" -f "$PROCESSES" -r 1000 -t 1000 -s TERM -- \
		"$PROGRAMS/familybot" -c "$CONF"
	wait_for 100 test -S "$socket" && alive "pool-$1" && return 0
	log_tail pool
	die "the pool did not start; its log is $STATE/log/pool.log"
}

# A program that is one process, held up by multiwatch: NAME ARGUMENTS...
service_start() {
	local name=$1

	shift
	alive "$name" && return 0
	launch "$name" multiwatch -f 1 -r 1000 -t 1000 -s TERM -- \
		"$PROGRAMS/familybot-$name" -c "$CONF" "$@"
}

nginx_run() {
	(umask 027 && "${DROP[@]}" nginx -p "$STATE/nginx" -e "$LOGS/nginx-error.log" \
		-c "$STATE/nginx/nginx.conf" "$@" 9>&-)
}

nginx_test() {
	local words

	words=$(nginx_run -t 2>&1) || { say "$words" >&2; return 1; }
}

# New connections go to this generation from now on.  nginx knows the link, so
# it needs no reload, which would close connections that Telegram keeps (a
# request on its way there would be lost to its sender).
pool_switch() {
	ln -sfn "../run/pool-$1.sock" "$CONTROL/pool.new"
	mv -T "$CONTROL/pool.new" "$CONTROL/pool.sock"
	echo "$1" > "$CONTROL/generation"
}

port_free() { ! (exec 3<> "/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; }

# Nobody but our own nginx may listen there.
port_check() {
	[ "$(cat "$CONTROL/port" 2>/dev/null)" = "$PORT" ] && alive nginx && return 0
	# What was just ended may still be closing.
	wait_for 20 port_free && return 0
	die "port $PORT is taken by another program; take another: PORT=$((PORT + 1)) ./quickstart"
}

# nginx writes its number where its user can; it is kept where only we can.
nginx_pid_keep() {
	local pid

	pid=$(as_user head -c 12 "$RUN/nginx.pid" 2> /dev/null) && [[ $pid =~ ^[0-9]+$ ]] || return 1
	echo "$pid" > "$CONTROL/nginx.pid"
}

nginx_start() {
	nginx_test || die "nginx refuses its configuration in $STATE/nginx"
	as_user rm -f "$RUN/nginx.pid"
	nginx_run || die "nginx did not start; its log is $LOGS/nginx-error.log"
	wait_for 50 nginx_pid_keep || die "nginx did not start"
	echo "$PORT" > "$CONTROL/port"
}

# Children of a process, from /proc, where others come and go meanwhile.
children_of() {
	awk -v parent="$1" '{ sub(/^.*\) /, ""); if ($2 == parent) { split(FILENAME, p, "/"); print p[3] } }' \
		/proc/[0-9]*/stat 2>/dev/null || true
}

all_gone() {
	local pid

	for pid in "$@"; do
		[ ! -d "/proc/$pid" ] || return 1
	done
}

# Only when the files of nginx changed; its old workers finish what they have.
nginx_reload() {
	local old

	[ "$NGINX_CHANGED" = 1 ] || return 0
	echo "$PORT" > "$CONTROL/port"
	# shellcheck disable=SC2207 # numbers
	old=($(children_of "$(pid_of nginx)"))
	as_user kill -s HUP "$(pid_of nginx)"
	wait_for 700 all_gone "${old[@]}" || warn "old nginx workers are still busy"
}

pools_old() {
	local file name

	for file in "$CONTROL"/pool-*.pid; do
		name=${file##*/} name=${name%.pid}
		[ ! -f "$file" ] || [ "$name" = "pool-$1" ] || echo "$name"
	done
}

pools_end_but() {
	local name

	for name in $(pools_old "$1"); do
		end "$name" TERM
		as_user rm -f "$RUN/$name.sock"
	done
}

services_start() {
	service_start worker
	if as_user test -s "$STATE/secrets/telegram_token"; then
		service_start poll --url "$URL/api/webhook"
	else
		end poll TERM
	fi
}

# What runs was started from these bytes and settings.
fingerprint() {
	{
		echo "$PORT $PROCESSES ${SHARDS:-} $PROGRAMS $TOP"
		as_user cat "$STATE/secret" 2> /dev/null || true
		# shellcheck disable=SC2016 # the inner shell's words
		as_user sh -c 'cat "$1"/* 2> /dev/null || true' sh "$STATE/secrets"
		cat "$PROGRAMS"/familybot "$PROGRAMS"/familybot-worker "$PROGRAMS"/familybot-poll \
			"$PROGRAMS"/*.so "$CONF" "${SHARDS:-$STATE/shards.conf}" \
			"$TOP"/nginx/*.in "$STATE"/nginx/http.conf \
			"$STATE"/nginx/locations.conf 2>/dev/null || true
	} | sha256sum | cut -d' ' -f1
}

config_test() {
	local words

	words=$("${DROP[@]}" "$PROGRAMS/familybot" -t -c "$CONF" 2>&1 9>&-) && return 0
	say "$words" >&2
	die "the configuration has mistakes (above); nothing was changed"
}

# Who speaks to the bot needs no more than that: a shard may be away.
answers() { curl -fsS -m 5 -o /dev/null "$URL/healthz" 2>/dev/null; }
ready() { curl -fsS -m 5 -o /dev/null "$URL/readyz" 2>/dev/null; }

# A new pool beside the old one; requests change over between two of them.
# What the old pool has not answered when it is asked to end, it answers.
stack_replace() {
	local new

	new=$(($(generation) + 1))
	config_test
	port_check
	nginx_test || die "nginx refuses the new configuration; the old one serves on"
	pool_start "$new"
	pool_switch "$new"
	nginx_reload
	sleep 0.5
	pools_end_but "$new"
	end worker TERM
	end poll TERM
	services_start
	fingerprint > "$CONTROL/fingerprint"
}

stack_start() {
	local new

	new=$(($(generation) + 1))
	pools_end_but none
	end worker TERM
	end poll TERM
	orphans_end
	config_test
	port_check
	pool_start "$new"
	pool_switch "$new"
	nginx_start
	services_start
	fingerprint > "$CONTROL/fingerprint"
}

# Ends the process of each path /proc/PID/... of standard input.
proc_end() {
	sed 's|^/proc/\([0-9]*\)/.*|\1|' | sort -u |
	while IFS= read -r pid; do
		as_user kill -s "$1" "$pid" 2>/dev/null || true
	done
}

# Of such paths, those of a program of the bot.
proc_programs() {
	while IFS= read -r path; do
		case $(tr '\0' ' ' < "$path") in
		*/familybot\ *|*/familybot-worker\ *|*/familybot-poll\ *) echo "$path" ;;
		esac
	done 2>/dev/null
}

# What lost its parent by a kill: nginx's workers, known by their log, and
# processes of a pool.  Only for when nothing should run.
orphans_end() {
	{ grep -lsaF -- "$CONF" /proc/[0-9]*/cmdline || true; } | proc_programs | proc_end TERM
	{ find /proc/[0-9]*/fd \( -lname "$LOGS/nginx-access.log" -o -lname "$STATE/nginx/access.log" \) 2>/dev/null || true; } | proc_end QUIT
}

# Brings up what is missing and replaces what is not of today.
stack_ensure() {
	if alive nginx && alive "pool-$(generation)"; then
		if [ "$(fingerprint)" = "$(cat "$CONTROL/fingerprint" 2>/dev/null)" ]; then
			services_start
			return 0
		fi
		say "Something has changed: a new pool takes over"
		stack_replace
	else
		end nginx QUIT
		stack_start
	fi
}

stack_wait() {
	wait_for 300 ready && return 0
	curl -sS -m 5 "$URL/readyz" >&2 || true
	log_tail pool
	die "familybot is not ready; logs are in $STATE/log, and ./quickstart status tells more"
}

stack_stop() {
	end poll TERM
	end nginx QUIT
	pools_end_but none
	end worker TERM
	orphans_end
}
