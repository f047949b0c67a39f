# shellcheck shell=sh disable=SC2154 # $here is the caller's
# Sourced with $here = tests or tests/system: sets $venv, a Python environment
# with the pinned requirements, in FAMILYBOT_VENV (default: the user's cache).
venv=${FAMILYBOT_VENV:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/familybot/system-venv}
wanted=$here/requirements.txt
[ -f "$wanted" ] || wanted=$here/system/requirements.txt
mkdir -p "$(dirname "$venv")"
exec 9>"$venv.lock"	# of two who come at once one makes it
flock 9
if ! cmp -s "$wanted" "$venv/.requirements"; then
	/usr/bin/python3 -m venv --clear "$venv"
	"$venv/bin/pip" install -q --disable-pip-version-check -r "$wanted"
	cp "$wanted" "$venv/.requirements"
fi
exec 9>&-
