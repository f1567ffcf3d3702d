# Read by the other scripts: the settings in environment.sh, where there is one, and the program's folder.
cd "$(dirname "$0")/.."
settings="${ENVIRONMENT_FILE-environment.sh}"
if [ -n "${ENVIRONMENT_FILE:-}" ] && [ ! -f "$settings" ]; then
    echo "ENVIRONMENT_FILE: there is no file $settings" >&2
    exit 1
fi
if [ -n "$settings" ] && [ -f "$settings" ]; then
    set -a # settings without `export` count, too
    case "$settings" in */*) . "$settings" ;; *) . "./$settings" ;; esac
    set +a
fi
NOTIFY="${VENV:-.venv}/bin/notify"
