#!/bin/sh
# Print the first Python of at least 3.11 that can make virtual environments.
# With arguments: look only at those.
if [ $# -eq 0 ]; then
    set -- python3.11 python3.12 python3.13 python3.14 python3 python
fi
for candidate in "$@"; do
    # Run it: a version manager may have a command of that name and no such version behind it.
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
        >/dev/null 2>&1; then
        command -v "$candidate"
        exit 0
    fi
done
echo "AG06 Mixer needs Python 3.11 or newer with its venv module, and found none among: $*." \
    "Install it (Debian, Ubuntu: apt-get install python3 python3-venv)," \
    "or name it: make PYTHON=/path/to/python3.11" >&2
exit 2
