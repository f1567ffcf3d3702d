#!/bin/sh
# Dependencies and database: what must be there before a process can be started.
# With SQLALCHEMY_DATABASE_URI the database it names is migrated; without, `notify up` does that with its own.
set -eu
cd "$(dirname "$0")/.."
make --no-print-directory install
if [ -n "${SQLALCHEMY_DATABASE_URI:-}" ]; then
    .venv/bin/notify db upgrade
fi
