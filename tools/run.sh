#!/bin/sh
# Start the server with the settings of .env, if there is one; the environment itself wins.
set -eu
cd "$(dirname "$0")/.."
if [ -f .env ]; then
    given=$(export -p)
    set -a
    . ./.env
    set +a
    eval "$given"
fi
exec .venv/bin/python start_webrtc.py "$@"
