# shellcheck shell=sh
# variant.sh - a build of another kind, in a folder of the stage, and all tests
# on it: unit, conformance of both backends, whole system.  Sourced by stages;
# the last line of each part's log counts it.

BUILDDIR=$TMPDIR/build
FOODS_DB=$BUILDDIR/data/foods.db
FAMILYBOT_MODULES=$BUILDDIR
export BUILDDIR FOODS_DB FAMILYBOT_MODULES
passed=0 failed=0 skipped=0

# variant_build OPTION...: of configure.
variant_build() {
	mkdir -p "$BUILDDIR"
	cd "$BUILDDIR" || exit 1
	if ! { "$SRCDIR/configure" -q --enable-werror "$@" &&
	    make -s -j "$(nproc)" all; } > "$TMPDIR/make.log" 2>&1; then
		tail -n 40 "$TMPDIR/make.log"
		echo "0 passed, 1 failed"
		exit 1
	fi
	# The system's processes are another user's, who writes here, too.
	find "$BUILDDIR" -type d -exec chmod a+rwx {} +
}

# variant_run STAGE [ARGUMENTS]: runs that stage on this build and adds its
# numbers.
variant_run() {
	echo "-- $*"
	rc=0
	stage=$1
	shift
	"$SRCDIR/tests/stages/$stage" "$@" > "$TMPDIR/$stage.log" 2>&1 || rc=$?
	set -- "$stage"
	counted=$(grep -E '[0-9]+ (passed|failed)' "$TMPDIR/$1.log" | tail -n 1)
	p=$(echo "$counted" | grep -oE '[0-9]+ passed' | cut -d' ' -f1)
	f=$(echo "$counted" | grep -oE '[0-9]+ (failed|errors?)' |
		awk '{ n += $1 } END { print n + 0 }')
	s=$(echo "$counted" | grep -oE '[0-9]+ skipped' | cut -d' ' -f1)
	[ "$rc" = 0 ] || [ "$f" -gt 0 ] || f=1
	[ -n "$p" ] || f=$((f + 1))
	passed=$((passed + ${p:-0})) failed=$((failed + f)) skipped=$((skipped + ${s:-0}))
	[ "$f" = 0 ] || tail -n 60 "$TMPDIR/$1.log"
	echo "$1: ${p:-0} passed, $f failed"
}

# What a stage finds beyond the tests: variant_tell NAME RC
variant_tell() {
	if [ "$2" = 0 ]; then
		passed=$((passed + 1))
		echo "$1"
	else
		failed=$((failed + 1))
		echo "FAILED: $1"
	fi
}

variant_end() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
	exit
}
