"""What a family of processes costs, read from /proc."""

import contextlib
import os
from dataclasses import dataclass

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_OWN = ("Pss_Anon", "Pss_Shmem", "SwapPss")


@dataclass(frozen=True, slots=True)
class Usage:
    """Cost of some processes.

    Attributes:
        cpu_s: user and system time since they started.
        pss_kb: proportional set size; memory shared by n processes counts 1/n in each.
        processes: how many there are.
        realtime: how many of their threads run at real-time priority.
    """

    cpu_s: float
    pss_kb: int
    processes: int
    realtime: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """What some processes hold on to.

    Attributes:
        pss_kb: memory.
        own_kb: the part of it that no file stands behind. Libraries that other programs use, too,
            are not in it, so that it does not change when those come and go.
        descriptors: open files, sockets, pipes and timers.
        sockets: those that are sockets.
        threads: how many.
    """

    pss_kb: int
    own_kb: int
    descriptors: int
    sockets: int
    threads: int


def holdings(root: int) -> Holdings:
    """Return what `root` and all its living descendants hold together."""
    pids = family(root)
    targets = [target for pid in pids for target in _open_files(pid)]
    memory = [_memory_kb(pid) for pid in pids]
    return Holdings(
        sum(each.get("Pss", 0) for each in memory),
        sum(each.get(name, 0) for each in memory for name in _OWN),
        len(targets),
        sum(target.startswith("socket:") for target in targets),
        sum(map(_threads, pids)),
    )


def _open_files(pid: int) -> list[str]:
    found = []
    folder = f"/proc/{pid}/fd"
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
        for name in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                found.append(os.readlink(f"{folder}/{name}"))
    return found


def _threads(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except FileNotFoundError:
        return 0


def family(root: int) -> list[int]:
    """Return `root` and all its living descendants."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = _stat_fields(int(name))
            if fields:
                children.setdefault(int(fields[1]), []).append(int(name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return [pid for pid in found if _stat_fields(pid)]


def usage(roots: list[int], *, with_memory: bool = False) -> Usage:
    """Return what the families of `roots` cost so far; reading memory takes the kernel a while."""
    pids = [pid for root in roots for pid in family(root)]
    cpu_ticks = 0
    for pid in pids:
        fields = _stat_fields(pid)
        if fields:
            cpu_ticks += int(fields[11]) + int(fields[12])
    return Usage(
        cpu_s=cpu_ticks / _TICKS_PER_S,
        pss_kb=sum(map(_pss_kb, pids)) if with_memory else 0,
        processes=len(pids),
        realtime=sum(map(_realtime_threads, pids)),
    )


def cpu_of_roles(root: int) -> dict[str, float]:
    """Return CPU seconds so far of a server's children, summed by their role: front, worker, …"""
    found: dict[str, float] = {}
    for pid in family(root):
        words = _command_line(pid)
        fields = _stat_fields(pid)
        if "webrtc.app" in words[:-1] and fields:
            role = words[words.index("webrtc.app") + 1]
            cpu_s = (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
            found[role] = found.get(role, 0.0) + cpu_s
    return found


def cpu_of_module(root: int, module: str) -> float:
    """Return CPU seconds so far of those of a server's children that run `python -m module`."""
    cpu_ticks = 0
    for pid in family(root):
        fields = _stat_fields(pid)
        if fields and module in _command_line(pid):
            cpu_ticks += int(fields[11]) + int(fields[12])
    return cpu_ticks / _TICKS_PER_S


def _command_line(pid: int) -> list[str]:
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            return file.read().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def _stat_fields(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat behind the name: state, parent, …; empty if it ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _pss_kb(pid: int) -> int:
    return _memory_kb(pid).get("Pss", 0)


def _memory_kb(pid: int) -> dict[str, int]:
    """Return the lines of /proc/PID/smaps_rollup; empty if it ended."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            next(file)  # the range of addresses
            return {line.split(":")[0]: int(line.split()[1]) for line in file}
    except (FileNotFoundError, ProcessLookupError):
        return {}


def _realtime_threads(pid: int) -> int:
    count = 0
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except FileNotFoundError:
        return 0
    for thread in threads:
        fields = _stat_fields(int(thread))
        # Field 41 of proc(5): the scheduling policy; 1 is FIFO, 2 is RR.
        if fields and fields[38] in ("1", "2"):
            count += 1
    return count
