#!/bin/sh
# The API, in the foreground. Where no database is named it uses those of the data folder, which the first of the scripts
# starts and the last one stops.
set -eu
. "$(dirname "$0")/common.sh"
exec "$NOTIFY" with-engines web "$@"
