"""The log of changes that all replicas share, as one of them writes and reads it.

One connection carries the scripts and, in the same order, what all replicas have changed.
"""

import asyncio
import contextlib
import hashlib
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from rooms import shared_scripts as scripts
from rooms.redis_connection import RedisAddress, locate
from rooms.redis_line import HUNG_S, RedisAwayError, RedisLine
from rooms.resp import Push, Refusal
from rooms.shared_view import SharedRoom, UnreadableError, pairs

logger = logging.getLogger(__name__)

ROOMS_AT_ONCE: Final = 100


class Change(NamedTuple):
    """What some replica has changed.

    `value` is empty where a room is gone, and the reason where a participant is.
    """

    rev: int
    kind: bytes
    room_id: str
    participant_id: str
    origin: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Loaded:
    """Everything that is in Redis: rooms, each with the number of its last change.

    Attributes:
        epoch: another one after Redis has lost everything.
        rev: changes up to this are in all of it.
        rooms: as they are in Redis.
        people: of each room, as they are in Redis, by participant id.
        revoked: ids of revoked join tokens, and when they expire.
    """

    epoch: bytes
    rev: int
    rooms: dict[str, tuple[int, bytes]]
    people: dict[str, dict[str, bytes]]
    revoked: dict[str, float]


class SharedLog:
    """Writes changes and hands them out."""

    def __init__(
        self,
        address: RedisAddress,
        replica: int,
        on_change: Callable[[Change], None],
        on_lost: Callable[[], None],
    ) -> None:
        """Begin to connect, in the running event loop.

        Args:
            address: Where Redis is.
            replica: Number of this one.
            on_change: Is given every change of every replica, from each connecting on.
            on_lost: Is told when Redis is lost, and what others change is not heard of any more.
        """
        self._replica = replica
        self._on_change = on_change
        begin = [("SUBSCRIBE", scripts.CHANGES)]
        key = scripts.PREFIX.encode()
        find = partial(locate, address, key)
        self._line = RedisLine(address, find, begin, self._on_push, on_lost)
        self._seen = 0
        self._news = asyncio.Event()

    @property
    def is_connected(self) -> bool:
        """Whether Redis is there."""
        return self._line.there.is_set()

    async def connected(self) -> None:
        """Wait until Redis is there."""
        await self._line.there.wait()

    def reconnect(self) -> None:
        """Begin anew."""
        self._line.reconnect()

    async def close(self) -> None:
        """End it."""
        await self._line.close()

    async def write(self, script: str, *arguments: bytes | str | int) -> bytes | None:
        """Change something; return the reason if that was refused.

        The change has been handed out by then.

        Raises:
            RedisAwayError: Redis is away, or was lost meanwhile.
        """
        answer = await self._run(script, *arguments)
        if isinstance(answer, bytes):
            return answer
        assert isinstance(answer, int)
        await self._see(answer)
        return None

    async def beat(self, lease_ms: int, url: str) -> dict[int, str]:
        """Renew the lease of this replica; return all whose lease holds, and their URLs.

        Raises:
            RedisAwayError: Redis is away, or was lost meanwhile.
        """
        live = await self._run(scripts.BEAT, lease_ms, url)
        assert isinstance(live, list)
        return {int(replica): where.decode() for replica, where in pairs(live)}

    async def leave(self) -> None:
        """Give the lease up.

        Raises:
            RedisAwayError: Redis is away, or was lost meanwhile.
        """
        await self._run(scripts.LEAVE)

    async def reap(self, replica: int, patience_ms: int, most: int) -> int:
        """Forget people of a replica that has been dead for so long; return how many.

        Raises:
            RedisAwayError: Redis is away, or was lost meanwhile.
        """
        count = await self._run(scripts.REAP, replica, patience_ms, most)
        assert isinstance(count, int)
        return count

    async def load(self) -> Loaded:
        """Return everything; what changes meanwhile is handed out as ever.

        Raises:
            RedisAwayError: Redis is away, was lost meanwhile, or holds another version's rooms.
        """
        answer = await self._run(scripts.LOAD, secrets.token_hex(8))
        assert isinstance(answer, list)
        schema, epoch, rev, names, revoked = answer
        if int(schema) != scripts.SCHEMA:
            logger.error(
                "Redis holds rooms of version %s, this is version %s: another database is needed",
                *(schema.decode(), scripts.SCHEMA),
            )
            raise RedisAwayError("another version's rooms")
        self._seen = int(rev)
        ends = {name.decode(): float(until) for name, until in pairs(revoked)}
        loaded = Loaded(epoch, self._seen, {}, {}, ends)
        for first in range(0, len(names), ROOMS_AT_ONCE):
            part = names[first : first + ROOMS_AT_ONCE]
            found = await asyncio.gather(*(self._run(scripts.LOAD_ROOM, one) for one in part))
            for name, room in zip(part, found, strict=True):
                if isinstance(room, list):
                    room_id = name.decode()
                    loaded.rooms[room_id] = int(room[0]), room[1]
                    loaded.people[room_id] = {key.decode(): value for key, value in pairs(room[2])}
        return loaded

    async def _see(self, rev: int) -> None:
        """Wait until a change has come: Redis may answer before it tells everybody."""
        while self._seen < rev:
            if not self.is_connected:
                raise RedisAwayError("Redis was lost")
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HUNG_S):
                    await self._news.wait()

    async def _run(self, script: str, *arguments: bytes | str | int) -> object:
        key, rest = scripts.PREFIX, (self._replica, *arguments)
        digest = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
        answer = await self._line.request("EVALSHA", digest, 1, key, *rest)
        if isinstance(answer, Refusal) and answer.text.startswith("NOSCRIPT"):
            answer = await self._line.request("EVAL", script, 1, key, *rest)
        if isinstance(answer, Refusal):
            logger.error("Redis refuses: %s", answer.text)
            self._line.reconnect()  # to who is master now, or who has the key
            raise RedisAwayError(answer.text)
        return answer

    def _on_push(self, push: Push) -> None:
        if push.items[0] != b"message" or not isinstance(push.items[2], bytes):
            return
        try:
            rev, kind, room, person, origin, value = push.items[2].split(b"\n", 5)
            change = Change(int(rev), kind, room.decode(), person.decode(), int(origin), value)
        except (ValueError, UnicodeError):
            logger.error("a change in Redis cannot be read")
            return
        self._seen = change.rev
        self._news.set()
        self._on_change(change)


def read_room(value: bytes, worker: int, rev: int) -> SharedRoom | None:
    """Return a room, None (and a line in the log) if it cannot be read."""
    try:
        return SharedRoom.read(value, worker, rev)
    except UnreadableError:
        logger.error("a room in Redis cannot be read")
        return None
