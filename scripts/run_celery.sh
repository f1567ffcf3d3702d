#!/bin/sh
# A worker, in the foreground.
set -eu
cd "$(dirname "$0")/.."
exec .venv/bin/notify worker "$@"
