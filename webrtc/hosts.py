"""What this host offers: its own IPv4 addresses and the CPUs this process may use.

Linux only; reads the kernel's tables and sends nothing.
"""

import array
import fcntl
import ipaddress
import os
import socket
import struct
from contextlib import closing
from pathlib import Path

_SIOCGIFCONF = 0x8912  # <linux/sockios.h>: every interface address of the family AF_INET
_SIOCGIFFLAGS = 0x8913
_IFF_UP_AND_RUNNING = 0x1 | 0x40
_IFREQ_BYTES = 40  # struct ifreq on 64-bit Linux: 16 of name, 24 of address
_MAX_ADDRESSES = 128


def own_ipv4_addresses() -> tuple[str, ...]:
    """Addresses that another machine may reach this host at, the default route's first.

    Loopback, link-local and interfaces without a carrier are left out; empty on a machine
    without network.
    """
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        found = _interface_addresses(probe)
        preferred = _default_route_address(probe)
    usable = [address for address in found if _is_reachable(address)]
    # A stable sort: the kernel's order stays among the others.
    return tuple(dict.fromkeys(sorted(usable, key=lambda address: address != preferred)))


def _interface_addresses(probe: socket.socket) -> list[str]:
    buffer = array.array("B", bytes(_IFREQ_BYTES * _MAX_ADDRESSES))
    where, room = buffer.buffer_info()
    ifconf = struct.pack("iP", room, where)  # struct ifconf: length, pointer to the entries
    used, _ = struct.unpack("iP", fcntl.ioctl(probe, _SIOCGIFCONF, ifconf))
    raw = buffer.tobytes()[:used]
    entries = [raw[start : start + _IFREQ_BYTES] for start in range(0, used, _IFREQ_BYTES)]
    return [socket.inet_ntoa(entry[20:24]) for entry in entries if _is_running(probe, entry[:16])]


def _is_running(probe: socket.socket, name: bytes) -> bool:
    request = name + bytes(_IFREQ_BYTES - len(name))
    try:
        (flags,) = struct.unpack_from("H", fcntl.ioctl(probe, _SIOCGIFFLAGS, request), 16)
    except OSError:  # the interface went away between the two calls
        return False
    return bool(flags & _IFF_UP_AND_RUNNING == _IFF_UP_AND_RUNNING)


def _default_route_address(probe: socket.socket) -> str | None:
    """Return the address that packets to the internet leave from, or None without a route."""
    try:
        # Connecting a datagram socket only looks the route up. RFC 5737: nobody is there.
        probe.connect(("203.0.113.1", 9))
    except OSError:
        return None
    return str(probe.getsockname()[0])


def _is_reachable(address: str) -> bool:
    parsed = ipaddress.IPv4Address(address)
    return not (parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified)


def usable_cpus(proc: Path = Path("/proc/self"), cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """Whole CPUs that affinity and the cgroups' quotas leave to this process, at least 1.

    Args:
        proc: the process's folder under /proc, for its cgroup paths.
        cgroups: where the cgroup file systems are mounted (version 2, or 1 with its controllers).
    """
    allowed = float(len(os.sched_getaffinity(0)))
    return max(1, int(min([allowed, *_quotas(proc, cgroups)])))


def _quotas(proc: Path, cgroups: Path) -> list[float]:
    """CPUs allowed by each cgroup above this process that sets a quota."""
    quotas: list[float] = []
    for line in _read(proc / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        mount = cgroups / controllers if controllers else cgroups
        for folder in _upwards(mount, path):
            quota = _quota_of(folder)
            if quota is not None:
                quotas.append(quota)
    return quotas


def _upwards(mount: Path, path: str) -> list[Path]:
    """Return the cgroup's folder and its parents up to the mount; a parent's quota binds too."""
    parts = [part for part in path.split("/") if part not in ("", "..")]
    return [mount.joinpath(*parts[:depth]) for depth in range(len(parts), -1, -1)]


def _quota_of(folder: Path) -> float | None:
    # Version 2: "max 100000" or "150000 100000". Version 1: two files, −1 for no quota.
    text = _read(folder / "cpu.max") or " ".join(
        [_read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")]
    )
    try:
        quota_us, period_us = (int(part) for part in text.split())
    except ValueError:
        return None
    return quota_us / period_us if quota_us > 0 and period_us > 0 else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""
