"""People who come into rooms at random and end in every way that people do."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from benchmarks.load.clip import make_clip
from benchmarks.load.doors import DoorError, SocketIoConnection, SocketIoDoor
from benchmarks.load.dtls import Certificate
from benchmarks.load.sources import ClipPlan
from benchmarks.load.swarm import JoinError, Participant, Swarm
from benchmarks.load.websocket import WebsocketError

_PTIME_MS: Final = 20
_FROZEN_S: Final = 90.0  # longer than the server waits for a pong
_ENDS: Final = ("leave", "hang up", "vanish", "reload", "move", "odd offer")
_WEIGHTS: Final = (6, 4, 2, 4, 3, 2)
_ODD_OFFERS: Final = (
    "",
    "v=0\r\n",
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 0 8\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\n"
    "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n",
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendonly\r\n"
    "a=rtpmap:96 VP8/90000\r\n",
    "v=0\r\n" + "a=x:" + "y" * 200_000 + "\r\n",
)
"""Nothing at all, half a session, telephone codecs alone, a picture without sound, far too much."""


class Visitors:
    """Comes and goes until it is told to stop.

    Attributes:
        counts: how often each thing happened; refusals and failures under the words they came with.
    """

    def __init__(
        self, swarm: Swarm, base_url: str, rooms: Sequence[str], draw: random.Random
    ) -> None:
        """Visit `rooms`, and rooms of their own beside them."""
        self.counts: Counter[str] = Counter()
        self._swarm = swarm
        self._base_url = base_url
        self._rooms = list(rooms)
        self._draw = draw
        self._inside: list[Participant] = []
        self._frozen: list[Callable[[], None]] = []
        self._made = 0

    @property
    def inside(self) -> int:
        """How many are in a room now, those not counted who vanished without a word."""
        return len(self._inside)

    async def come_and_go(self, rate_hz: float, most: int = 30) -> None:
        """Let something happen so many times a second, with up to `most` inside; runs for ever."""
        clip = ClipPlan(make_clip(_PTIME_MS), 0)
        loop = asyncio.get_running_loop()
        next_s = loop.time()
        async with asyncio.TaskGroup() as visits:
            while True:
                next_s = max(next_s + self._draw.expovariate(rate_hz), loop.time())
                await asyncio.sleep(next_s - loop.time())
                if len(self._inside) < most * self._draw.random():
                    visits.create_task(self._enter(self._some_room(), clip))
                elif self._inside:
                    visits.create_task(self._something_happens(clip))

    def all_leave(self) -> None:
        """Let everybody hang up, those who vanished too."""
        for participant in self._inside:
            self._swarm.leave(participant)
        self._inside.clear()
        for close in self._frozen:
            close()
        self._frozen.clear()

    def _some_room(self) -> str:
        if self._draw.random() < 0.7:
            return self._draw.choice(self._rooms)
        self._made += 1
        return f"visit-{self._made}"

    async def _enter(self, room: str, clip: ClipPlan, token: str = "") -> None:
        speaks = self._draw.random() < 0.4
        try:
            guest = await self._swarm.join(
                room,
                "sendrecv" if speaks else "recvonly",
                speaks=speaks,
                door=SocketIoDoor(self._base_url, token),
                certificate=Certificate.generate() if token else None,
            )
        except JoinError as error:
            reason = str(error).partition(": ")[2] or "no answer"
            self.counts[f"not in: {reason[:60]}"] += 1
            return
        self.counts["came back" if token else "came"] += 1
        self._inside.append(guest)
        if speaks:
            self._swarm.speak(guest, clip)

    async def _something_happens(self, clip: ClipPlan) -> None:
        [what] = self._draw.choices(_ENDS, _WEIGHTS)
        self.counts[what] += 1
        if what == "odd offer":
            await self._offer(self._draw.choice(_ODD_OFFERS))
            return
        guest = self._draw.choice(self._inside)
        if what == "move":
            self._swarm.move(guest)
            return
        self._inside.remove(guest)
        connection = guest.signaling
        assert isinstance(connection, SocketIoConnection)
        if what == "vanish":
            connection.freeze()
            self._frozen.append(connection.close)
            self._swarm.forget(guest)
            asyncio.get_running_loop().call_later(_FROZEN_S, connection.close)
            return
        if what == "leave":
            await self._say(connection, "leave_room")
        self._swarm.leave(guest)
        if what == "reload":
            await self._enter(guest.room, clip, guest.resume_token)

    async def _offer(self, sdp: str) -> None:
        """Come in, offer something odd, and see that it is answered, whatever with."""
        try:
            connection = await SocketIoConnection.connect(self._base_url)
        except (DoorError, WebsocketError, OSError):
            self.counts["not in: no connection"] += 1
            return
        await self._say(connection, "join_room", {"room_id": self._rooms[0], "role": "both"})
        await self._say(connection, "offer", {"type": "offer", "sdp": sdp})
        connection.close()

    async def _say(self, connection: SocketIoConnection, event: str, *arguments: object) -> None:
        try:
            await connection.call(event, *arguments)
        except DoorError as error:
            self.counts[f"{event}: {error}"] += 1
