"""A Redis in a network of its own, and a cable to it for each replica, which can be pulled.

What `tests.support.wire` only imitates: packets are lost, and the kernels at both ends go on
sending theirs again. Only who may make networks can use it; elsewhere its tests are skipped.
"""

import asyncio
import itertools
import os
import shutil
from typing import Self

import pytest

from tests.support.redis_server import RedisServer

_NUMBERS = itertools.count()


class RedisAcrossCables(RedisServer):
    """An async context manager.

    Attributes:
        urls: Its address, by each cable.
    """

    def __init__(self, cables: int) -> None:
        """Prepare one.

        Args:
            cables: How many lead to it.
        """
        super().__init__("--protected-mode", "no", "--bind", "0.0.0.0")
        who = f"{os.getpid() % 0xFFFFF:x}{next(_NUMBERS) % 0xFFF:x}"
        self._namespace = f"ag06-{who}"
        self._cables = [f"ag{who}-{one}" for one in range(cables)]  # at most 15 characters
        # Of the block for benchmarks (RFC 2544), which leads nowhere.
        self._nets = [f"198.18.{os.getpid() % 255}.{4 * one}" for one in range(cables)]
        self.urls = [f"redis://{_address(net, 2)}:{self.port}/0" for net in self._nets]
        self.host = _address(self._nets[0], 2)

    async def __aenter__(self) -> Self:
        """Lay the cables and start it."""
        if not await _done(f"netns add {self._namespace}"):
            pytest.skip("no network namespace may be made here")
        try:
            for cable, net in zip(self._cables, self._nets, strict=True):
                await self._lay(cable, net)
            await self.start()
        except BaseException:
            await self._take_away()
            raise
        return self

    async def __aexit__(self, *raised: object) -> None:
        """End it and take the cables away."""
        await super().__aexit__(*raised)
        await self._take_away()

    async def pull(self, cable: int) -> None:
        """Pull a cable out at the far end, so that nobody here is told."""
        assert await _done(f"-n {self._namespace} link set {self._cables[cable]} down")

    async def plug(self, cable: int) -> None:
        """Put it in again."""
        assert await _done(f"-n {self._namespace} link set {self._cables[cable]} up")

    def _prefix(self) -> list[str]:
        return ["ip", "netns", "exec", self._namespace]

    async def _lay(self, cable: str, net: str) -> None:
        far = f"-n {self._namespace}"
        # Nobody asks for hardware addresses, or packets would wait for an answer instead of being
        # lost; both ends have the same, or they would take each other's for somebody else's.
        mac = "address 02:00:00:00:00:01"
        for step in (
            f"link add {cable} {mac} type veth peer name {cable} {mac} netns {self._namespace}",
            f"addr add {_address(net, 1)}/30 dev {cable}",
            f"link set {cable} arp off up",
            f"{far} addr add {_address(net, 2)}/30 dev {cable}",
            f"{far} link set {cable} arp off up",
        ):
            if not await _done(step):
                pytest.skip("no cable may be laid here")

    async def _take_away(self) -> None:
        await _done(f"netns del {self._namespace}")
        for cable in self._cables:  # gone with the namespace, unless something still holds that
            await _done(f"link del {cable}")


def _address(net: str, host: int) -> str:
    start, _, last = net.rpartition(".")
    return f"{start}.{int(last) + host}"


async def _done(arguments: str) -> bool:
    """Let `ip` do something; return whether it did."""
    program = shutil.which("ip")
    if program is None:
        return False
    process = await asyncio.create_subprocess_exec(
        program, *arguments.split(), stderr=asyncio.subprocess.DEVNULL
    )
    return await process.wait() == 0
