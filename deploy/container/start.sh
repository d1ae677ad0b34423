#!/bin/sh
# Start the server in a container whose root file system is read-only: the compiled kernels go where
# numba may write, which takes some milliseconds; compiling them would take half a minute.
set -eu
cp -R "${AG06_KERNELS}" "${NUMBA_CACHE_DIR}.new"
rm -rf "${NUMBA_CACHE_DIR}"
mv "${NUMBA_CACHE_DIR}.new" "${NUMBA_CACHE_DIR}"
cd /opt/ag06
exec venv/bin/python start_webrtc.py "$@"
