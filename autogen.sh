#!/bin/sh
# Makes ./configure from a checkout.  Needs autoconf and automake.
set -e
cd "$(dirname "$0")"
exec autoreconf --install --force --warnings=all "$@"
