#!/bin/sh
# The API, in the foreground.
set -eu
cd "$(dirname "$0")/.."
exec .venv/bin/notify web "$@"
