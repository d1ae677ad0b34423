"""Sessions in the memory of this process; see `archive.store`."""

import bisect
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from archive.sessions import MAX_CHUNK_BYTES, Chunk, Extent, Page, Session

DEFAULT_MOST_BYTES: Final = 256 << 20


@dataclass(slots=True)
class _Kept:
    session: Session
    expires_s: float
    chunks: deque[Chunk] = field(default_factory=deque)


class MemorySessionStore:
    """Sessions by id.

    Args:
        most_bytes: Of all sound; beyond it the oldest chunks of whoever holds most give way.
        clock: Seconds, from anywhere, that go on steadily.
    """

    def __init__(
        self,
        most_bytes: int = DEFAULT_MOST_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most_bytes = most_bytes
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._bytes = 0

    @property
    def held_bytes(self) -> int:
        """Bytes of all sound that is kept."""
        return self._bytes

    async def put(self, session: Session, ttl_s: float) -> None:
        """See `SessionStore`."""
        self._sweep()
        expires_s = self._clock() + ttl_s
        kept = self._kept.get(session.session_id)
        if kept is None:
            self._kept[session.session_id] = _Kept(session, expires_s)
        else:
            kept.session, kept.expires_s = session, expires_s

    async def session(self, session_id: str) -> Session | None:
        """See `SessionStore`."""
        kept = self._find(session_id)
        return None if kept is None else kept.session

    async def page(self, vault: str, cursor: str | None, limit: int) -> Page:
        """See `SessionStore`."""
        self._sweep()
        mine = [one.session for one in self._kept.values() if one.session.vault == vault]
        mine.sort(key=lambda one: one.cursor, reverse=True)
        if cursor is not None:
            mine = [one for one in mine if one.cursor < cursor]
        shown = mine[:limit]
        return Page(shown, shown[-1].cursor if len(mine) > limit else None)

    async def append(self, session_id: str, chunk: Chunk, most_chunks: int, ttl_s: float) -> bool:
        """See `SessionStore`."""
        if len(chunk.packets) > MAX_CHUNK_BYTES:
            raise ValueError(f"a chunk of {len(chunk.packets)} bytes")
        kept = self._find(session_id)
        if kept is None or (kept.chunks and chunk.at_ms <= kept.chunks[-1].at_ms):
            return False
        kept.expires_s = self._clock() + ttl_s
        kept.chunks.append(chunk)
        self._bytes += len(chunk.packets)
        while len(kept.chunks) > most_chunks:
            self._drop_oldest(kept)
        if self._bytes > self._most_bytes:
            self._make_room()
        return True

    async def chunks(self, session_id: str, from_ms: int, limit: int) -> list[Chunk]:
        """See `SessionStore`."""
        kept = self._find(session_id)
        if kept is None:
            return []
        everything = list(kept.chunks)
        first = bisect.bisect_left(everything, from_ms, key=lambda chunk: chunk.at_ms)
        return everything[first : first + limit]

    async def extent(self, session_id: str) -> Extent:
        """See `SessionStore`."""
        kept = self._find(session_id)
        if kept is None or not kept.chunks:
            return Extent()
        return Extent(kept.chunks[0].at_ms, kept.chunks[-1].end_ms, len(kept.chunks))

    async def remove(self, session_id: str) -> Session | None:
        """See `SessionStore`."""
        kept = self._find(session_id)
        if kept is None:
            return None
        self._forget(session_id)
        return kept.session

    async def close(self) -> None:
        """See `SessionStore`."""

    def _find(self, session_id: str) -> _Kept | None:
        kept = self._kept.get(session_id)
        if kept is not None and kept.expires_s <= self._clock():
            self._forget(session_id)
            return None
        return kept

    def _sweep(self) -> None:
        now_s = self._clock()
        for session_id in [name for name, one in self._kept.items() if one.expires_s <= now_s]:
            self._forget(session_id)

    def _forget(self, session_id: str) -> None:
        kept = self._kept.pop(session_id)
        self._bytes -= sum(len(chunk.packets) for chunk in kept.chunks)

    def _drop_oldest(self, kept: _Kept) -> None:
        self._bytes -= len(kept.chunks.popleft().packets)

    def _make_room(self) -> None:
        self._sweep()
        while self._bytes > self._most_bytes:
            self._drop_oldest(max(self._kept.values(), key=lambda one: len(one.chunks)))
