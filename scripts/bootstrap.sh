#!/bin/sh
# Installs what the program needs and prepares its databases: run it once, and again after an update.
# With SQLALCHEMY_DATABASE_URI the database it names is migrated; without, PostgreSQL and Valkey of the data folder are
# made, migrated and given a demo service.
set -eu
. "$(dirname "$0")/common.sh"
make --no-print-directory install
if [ -n "${SQLALCHEMY_DATABASE_URI:-}" ]; then
    exec "$NOTIFY" with-engines db upgrade
fi
"$NOTIFY" with-engines db current
cat <<END
Ready. Now run each of these in its own terminal:
  scripts/run_app.sh
  scripts/run_celery.sh
  scripts/run_celery_beat.sh
END
