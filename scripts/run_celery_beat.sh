#!/bin/sh
# The clock of periodic tasks, in the foreground.
set -eu
cd "$(dirname "$0")/.."
exec .venv/bin/notify beat "$@"
