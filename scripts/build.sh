# shellcheck shell=bash
# build.sh - installs the Debian packages that are missing and builds the
# programs in build/.  Sourced by quickstart.

# Names of the packages of the groups given (run, build, check).
packages_of() {
	awk -v groups=" $* " '
		/^# (run|build|check)/ { sub(/:/, "", $2); on = index(groups, " " $2 " ") > 0; next }
		/^[a-z0-9]/ && on { print $1 }' "$TOP/build-aux/packages.txt"
}

packages_missing() {
	local package

	for package in $(packages_of "$@"); do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
			printf '%s ' "$package"
	done
}

packages_install() {
	local missing as_root=()

	if ! command -v dpkg-query > /dev/null; then
		warn "this is not Debian: what build-aux/packages.txt names must be here already"
		return 0
	fi
	missing=$(packages_missing "$@")
	[ -n "$missing" ] || return 0
	say "Installing Debian packages: $missing"
	if [ "$(id -u)" != 0 ]; then
		command -v sudo > /dev/null ||
			die "packages are missing and sudo is not here; as root: apt-get install $missing"
		say "(sudo may ask for your password)"
		as_root=(sudo)
	fi
	# shellcheck disable=SC2086 # a list of words
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
		--no-install-recommends $missing > /dev/null 2>&1 ||
	{
		"${as_root[@]}" apt-get update -qq
		# shellcheck disable=SC2086
		"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
			--no-install-recommends $missing > /dev/null
	} || die "the packages could not be installed; try: apt-get install $missing"
}

build_step() {
	local log=$BUILD/quickstart.log

	# Printed in full only when it fails.
	(cd "$1" && shift && "${BUILDER[@]}" "$@") >> "$log" 2>&1 && return 0
	tail -n 40 "$log" >&2
	die "building failed; all of it is in $log"
}

# Out of the source tree, in build/.
build_programs() {
	"${BUILDER[@]}" mkdir -p "$BUILD"
	"${BUILDER[@]}" rm -f "$BUILD/quickstart.log"
	[ -x "$TOP/configure" ] || build_step "$TOP" ./autogen.sh
	if [ ! -f "$BUILD/Makefile" ]; then
		say "Building familybot (a minute or so)"
		build_step "$BUILD" "$TOP/configure"
	fi
	build_step "$BUILD" make -s -j "$(nproc)"
}

# For a user who cannot reach build/: the programs and what they read.
programs_place() {
	[ "$PROGRAMS" != "$BUILD" ] || return 0
	mkdir -p "$PROGRAMS/data"
	find "$BUILD" -maxdepth 1 -type f \( -name 'familybot*' -o -name '*.so' \) \
		-exec cp -pu -t "$PROGRAMS" {} +
	cp -pu "$BUILD/data/foods.db" "$PROGRAMS/data/"
	[ ${#DROP[@]} -eq 0 ] || chown -R 0:0 "$PROGRAMS"
	chmod -R a+rX "$PROGRAMS"
}
