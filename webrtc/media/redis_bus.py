"""The audio bus between workers of several machines: Redis's publish and subscribe.

Each worker listens on one channel of its own. What it says to another one within one turn of its
loop, of all rooms that both serve, goes out as two messages, the first frame and the rest: so their
number grows with the workers that share rooms, and neither with rooms nor with listeners. Whoever
does not read, Redis included, holds up nobody: what does not fit is dropped and counted.

On a cluster the channels are sharded: each is on the node that its name belongs to.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Collection
from functools import partial
from typing import Final

import msgspec

from mixer.exchange_frames import BusFrame
from rooms.bus import Arrived, BusCodec
from rooms.redis_connection import Place, RedisAddress, learn_slots, locate
from rooms.redis_line import RedisLine
from rooms.resp import Push, Refusal

MOST_WAITING: Final = 256
"""Frames that wait to be taken; newer ones are dropped."""
_NODES_AGAIN_S: Final = 1.0
_COUNTED: Final = ("bus_sent", "bus_received", "bus_dropped", "bus_unreachable")


class RedisBus:
    """See `rooms.bus.AudioBus`; a frame has arrived when this machine has it."""

    def __init__(
        self,
        address: RedisAddress,
        worker: int,
        note_round_trip: Callable[[float], None] = lambda _: None,
    ) -> None:
        """Begin to connect, in the running event loop.

        Args:
            address: Where Redis is.
            worker: Number of this worker among all of all replicas.
            note_round_trip: Is told how long Redis took to answer each message, in s.
        """
        self.counters: Counter[str] = Counter(dict.fromkeys(_COUNTED, 0))
        self._address = address
        self._worker = worker
        self._note_round_trip = note_round_trip
        self._shared: dict[str, frozenset[int]] = {}
        self._codec = BusCodec()
        self._bundles = msgspec.msgpack.Decoder(list[bytes])
        self._outgoing: dict[int, list[bytes]] = {}
        self._waiting: deque[Arrived] = deque()
        self._tell: Callable[[], None] = lambda: None
        self._loop = asyncio.get_running_loop()
        self._lines: dict[Place | None, RedisLine] = {}
        self._node_of: Callable[[bytes], Place] | None = None
        self._finding: asyncio.Task[None] | None = None
        self._is_sharded = address.kind == "cluster"
        begin = "SSUBSCRIBE" if self._is_sharded else "SUBSCRIBE"
        channel = _channel(worker)
        self._own = RedisLine(
            address, lambda: locate(address, channel), [(begin, channel)], self._on_push
        )

    @property
    def is_there(self) -> bool:
        """Whether Redis is."""
        return self._own.there.is_set()

    async def wait(self) -> None:
        """Wait until it can be spoken and listened to."""
        await self._own.there.wait()

    def share(self, room_id: str, workers: Collection[int]) -> None:
        """See `AudioBus`."""
        others = frozenset(workers) - {self._worker}
        if others:
            self._shared[room_id] = others
        else:
            self._shared.pop(room_id, None)

    def publish(self, frame: BusFrame) -> None:
        """See `AudioBus`."""
        workers = self._shared.get(frame.room_id)
        if not workers:
            return
        message = self._codec.encode(frame, time.monotonic())
        if not self._outgoing:
            self._loop.call_soon(self.flush)  # behind whatever else this turn has to say
        for worker in workers:
            if worker in self._outgoing:
                self._outgoing[worker].append(message)
            else:  # the first one does not wait for the others
                self._outgoing[worker] = []
                self._send(worker, [message])

    def flush(self) -> None:
        """See `AudioBus`."""
        outgoing, self._outgoing = self._outgoing, {}
        for worker, messages in outgoing.items():
            if messages:
                self._send(worker, messages)

    def take(self) -> list[Arrived]:
        """See `AudioBus`."""
        waiting, self._waiting = self._waiting, deque()
        taken = [
            item
            for item in waiting
            if item.frame.worker in self._shared.get(item.frame.room_id, ())
        ]
        self.counters["bus_received"] += len(taken)
        return taken

    def on_arrival(self, tell: Callable[[], None]) -> None:
        """See `AudioBus`."""
        self._tell = tell

    def close(self) -> None:
        """See `AudioBus`."""
        self._own.give_up()
        for line in self._lines.values():
            line.give_up()
        if self._finding is not None:
            self._finding.cancel()

    # ---- out -------------------------------------------------------------------------------

    def _send(self, worker: int, messages: list[bytes]) -> None:
        line, count = self._line_to(worker), len(messages)
        say = "SPUBLISH" if self._is_sharded else "PUBLISH"
        if line is None or not line.there.is_set():
            self.counters["bus_unreachable"] += count
            return
        on_reply = partial(self._sent, count, time.monotonic())
        bundle = msgspec.msgpack.encode(messages)
        if not line.send(on_reply, say, _channel(worker), bundle):
            self.counters["bus_dropped"] += count

    def _sent(self, count: int, sent_s: float, reply: object) -> None:
        self._note_round_trip(time.monotonic() - sent_s)
        if isinstance(reply, Refusal):
            self.counters["bus_dropped"] += count
            if reply.text.startswith("MOVED"):
                self._node_of = None
        elif reply == 0:
            self.counters["bus_unreachable"] += count
        else:
            self.counters["bus_sent"] += count

    def _line_to(self, worker: int) -> RedisLine | None:
        if not self._is_sharded:
            return self._own
        if self._node_of is None:
            self._find_nodes()
            return None
        place = self._node_of(_channel(worker))
        line = self._lines.get(place)
        if line is None:

            async def find() -> Place:
                return place

            line = self._lines[place] = RedisLine(self._address, find, [], self._on_push)
        return line

    # ---- in --------------------------------------------------------------------------------

    def _on_push(self, push: Push) -> None:
        arrival_s = time.monotonic()
        kind, *rest = push.items
        if kind == b"sunsubscribe":  # the channel is on another node now
            self._own.reconnect()
        if kind not in (b"message", b"smessage"):
            return
        try:
            messages = self._bundles.decode(rest[1] if isinstance(rest[1], bytes) else b"")
            frames = [self._codec.decode(message).frame for message in messages]
        except (msgspec.MsgspecError, ValueError):
            self.counters["bus_malformed"] += 1
            return
        for frame in frames:
            if len(self._waiting) < MOST_WAITING:
                self._waiting.append(Arrived(frame, arrival_s))
            else:
                self.counters["bus_dropped"] += 1
        self._tell()

    # ---- where -----------------------------------------------------------------------------

    def _find_nodes(self) -> None:
        if self._finding is None or self._finding.done():
            self._finding = self._loop.create_task(self._look_for_nodes(), name="nodes of Redis")

    async def _look_for_nodes(self) -> None:
        try:
            self._node_of = await learn_slots(self._address)
        except Exception:  # whatever it is, they are asked again
            await asyncio.sleep(_NODES_AGAIN_S)


def _channel(worker: int) -> bytes:
    return b"ag06:bus:%d" % worker
