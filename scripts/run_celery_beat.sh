#!/bin/sh
# The clock of periodic tasks, in the foreground. Where no database is named it uses those of the data folder, which the first of the scripts
# starts and the last one stops.
set -eu
. "$(dirname "$0")/common.sh"
exec "$NOTIFY" with-engines beat "$@"
