"""A bad network for all that a browser sends and gets: two TUN devices and a thread between.

The process that makes it goes, with all that it starts from then on, into a network namespace of
its own, `far`; programs that are started by `near_command` are in another one, `near`, and reach
it only through the bad network. Every packet is harmed, on its way there and on its way back,
whatever it is: sound, reports, connectivity checks, handshakes, signaling. Takes Linux, root,
`unshare`, `nsenter` (util-linux) and `ip` (iproute2).

`MIRROR` is an address in `near` at which `near` meets itself: what is sent there passes the network
on its way up and once more on its way down, as between two people who both have such a network.
"""

import ctypes
import fcntl
import math
import os
import select
import shutil
import stat
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mixer.netsim import NetworkSimulator
from mixer.netsim_settings import NetworkConditions

NEAR = "10.77.0.1"
FAR = "10.77.0.2"
MIRROR = "10.77.0.9"
_MTU = 1400
_CLONE_NEWNET = 0x40000000
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_TOOLS = ("ip", "nsenter", "unshare")
_MOST_BYTES = 65536


class NoTunError(Exception):
    """This machine does not let us have such a network; the text says why."""


@dataclass(frozen=True, slots=True)
class BadNetwork:
    """What was made.

    Attributes:
        up: harms what leaves `near`.
        down: harms what comes to it.
        near_pid: a process in `near`.
    """

    up: NetworkSimulator[bytes]
    down: NetworkSimulator[bytes]
    near_pid: int

    def near_command(self, folder: Path, program: str) -> Path:
        """Return a script that runs a program in `near`.

        Args:
            folder: to write it to.
            program: its path.
        """
        script = folder / "near.sh"
        script.write_text(
            f'#!/bin/sh\nexec nsenter --net=/proc/{self.near_pid}/ns/net "{program}" "$@"\n'
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        return script


@contextmanager
def bad_network(conditions: NetworkConditions, seed: int = 1) -> Iterator[BadNetwork]:
    """Make it; this process stays in `far` afterwards, which ends with it.

    Args:
        conditions: for each direction.
        seed: of chance; another one is used for the way down.

    Raises:
        NoTunError: no root, no TUN device, or a tool is missing.
    """
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing or not Path("/dev/net/tun").exists():
        raise NoTunError(f"this takes root, /dev/net/tun and {', '.join(_TOOLS)}")
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) != 0:
        raise NoTunError(f"no network namespace: {os.strerror(ctypes.get_errno())}")
    near = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
    try:
        _wait_until_apart(near.pid)
        _ip("link", "set", "lo", "up")
        _ip("link", "set", "lo", "up", near=near.pid)
        far_device = _device("ag06far", FAR)
        near_device = _device("ag06near", NEAR, near.pid)
        # Browsers take the address that leads to the internet for theirs.
        _ip("route", "add", "default", "via", FAR, near=near.pid)
        network = BadNetwork(
            NetworkSimulator(conditions, seed), NetworkSimulator(conditions, seed + 1), near.pid
        )
        stop = threading.Event()
        carrier = threading.Thread(
            target=_carry, args=(network, near_device, far_device, stop), daemon=True
        )
        carrier.start()
        try:
            yield network
        finally:
            stop.set()
            carrier.join()
            os.close(near_device)
            os.close(far_device)
    finally:
        near.kill()
        near.wait()


def _ip(*arguments: str, near: int | None = None) -> None:
    inside = [] if near is None else ["nsenter", f"--net=/proc/{near}/ns/net"]
    done = subprocess.run([*inside, "ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoTunError(done.stderr.strip())


def _wait_until_apart(pid: int) -> None:
    ours = os.readlink("/proc/self/ns/net")
    for _ in range(500):
        if os.readlink(f"/proc/{pid}/ns/net") != ours:
            return
        time.sleep(0.01)
    raise NoTunError("unshare makes no network namespace")


def _device(name: str, address: str, near: int | None = None) -> int:
    """Make a TUN device with an address; return what its packets are read from (tuntap.rst)."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    if near is not None:
        _ip("link", "set", name, "netns", str(near))
    _ip("address", "add", f"{address}/24", "dev", name, near=near)
    _ip("link", "set", name, "mtu", str(_MTU), "up", near=near)
    return device


def _carry(network: BadNetwork, near: int, far: int, stop: threading.Event) -> None:
    """Carry packets between the devices until told to stop."""
    mirror = _bytes_of(MIRROR)
    while not stop.is_set():
        now = time.monotonic()
        times = (network.up.poll_timeout(), network.down.poll_timeout())
        due = min((one for one in times if one is not None), default=math.inf)
        select.select([near, far], [], [], min(0.1, max(0.0, due - now)))
        now = time.monotonic()
        for packet in _read(near):
            network.up.send(packet, len(packet), now)
        for packet in _read(far):
            network.down.send(packet, len(packet), now)
        for time_s, packet in network.up.poll(now):
            if packet[16:20] == mirror:
                # Source and destination change places, which no checksum notices (RFC 1071).
                turned = packet[:12] + packet[16:20] + packet[12:16] + packet[20:]
                network.down.send(turned, len(turned), time_s)
            else:
                _write(far, packet)
        for _, packet in network.down.poll(now):
            _write(near, packet)


def _read(device: int) -> Iterator[bytes]:
    with suppress(BlockingIOError):
        while True:
            packet = os.read(device, _MOST_BYTES)
            if packet[0] >> 4 == 4:  # IPv6 looks for routers and neighbours only
                yield packet


def _write(device: int, packet: bytes) -> None:
    with suppress(OSError):  # nobody takes it: it is lost, as on any network
        os.write(device, packet)


def _bytes_of(address: str) -> bytes:
    return bytes(int(part) for part in address.split("."))
