#!/bin/bash
# Run the container's image as Kubernetes does, without an engine: no root, no capabilities, a
# read-only root file system with /tmp in memory, a network of its own. Print what was found; fail
# if the server does not start, cannot be asked or does not end. Needs root on Linux; docs/kubernetes.md
# says how to build the image.
#
#   tools/check_image.sh FOLDER    the image's file system, as `buildah mount` prints it
set -eu
[ $# -eq 1 ] && [ -x "$1/usr/local/bin/start-ag06" ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
IMAGE=$(realpath "$1") HERE=$(realpath "$(dirname "$0")/..") WORK=$(mktemp -d)
export IMAGE HERE WORK
trap 'rmdir "$WORK/root"; rm -rf "$WORK"' EXIT
mkdir "$WORK/root"
unshare --mount --pid --net --fork --kill-child bash -eu <<'INSIDE'
root=$WORK/root
mount --make-rprivate /
mount --bind "$IMAGE" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero random urandom; do
    touch "$root/dev/$device" && mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/shm" && mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=1777,size=256m tmpfs "$root/tmp"
mount -o remount,bind,ro "$root"
ip link set lo up

# The Dockerfile's environment, user and health check.
of_image=(env -i PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin TINI_SUBREAPER=1
    NUMBA_CPU_NAME=x86-64-v3 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
    AG06_KERNELS=/opt/ag06/kernels NUMBA_CACHE_DIR=/tmp/kernels
    chroot "$root" setpriv --reuid=10001 --regid=10001 --clear-groups --bounding-set=-all
    --inh-caps=-all --no-new-privs sh -c 'cd /opt/ag06 && exec "$@"' -)
health=$(sed -n 's/^    CMD \(\[.*\]\)$/\1/p' "$HERE/Dockerfile")

for tool in gcc cc clang ld make git npm node; do
    ! "${of_image[@]}" sh -c "command -v $tool" || { echo "$tool is in the image"; exit 1; }
done
echo "no compiler, no git, no npm; $(du -sxm "$IMAGE" | cut -f1) MB"
! "${of_image[@]}" sh -c 'for at in / /etc /usr /opt/ag06; do touch $at/x 2>/dev/null && exit 0; done; exit 1' ||
    { echo "the root file system can be written to"; exit 1; }
"${of_image[@]}" sh -c 'echo "user $(id -u), $(grep CapEff /proc/self/status | tr -s "\t" " "), nothing but /tmp can be written to"'

start_and_end() {
    before=$(date +%s%N)
    "${of_image[@]}" env AG06_KERNELS="$2" tini -- start-ag06 >"$root/tmp/log" 2>&1 &
    for _ in $(seq 1200); do
        ! grep -q "is ready" "$root/tmp/log" || break
        kill -0 $! 2>/dev/null || break
        sleep 0.1
    done
    ready=$(date +%s%N)
    grep -q "is ready" "$root/tmp/log" || { cat "$root/tmp/log"; exit 1; }
    echo "$1: ready after $(((ready - before) / 1000000)) ms"
    "${of_image[@]}" venv/bin/python - "$health" <<'PYTHON'
import json, subprocess, sys
subprocess.run(json.loads(sys.argv[1]), check=True)
print("the health check passes")
PYTHON
    cat "$root"/proc/[0-9]*/maps 2>/dev/null | sed -n "s#.*$root\(/usr/lib.*libopus.*\)#with \1#p" | sort -u
    before=$(date +%s%N)
    kill -TERM $! && wait $! && ended=0 || ended=$?
    echo "SIGTERM: ended with $ended after $((($(date +%s%N) - before) / 1000000)) ms," \
        "left: $(grep -ls '^Uid:.10001' "$root"/proc/[0-9]*/status | wc -l) processes"
}
mkdir "$root/tmp/none" && chmod 755 "$root/tmp/none"
start_and_end "with the image's kernels" /opt/ag06/kernels
start_and_end "compiling them" /tmp/none
INSIDE
