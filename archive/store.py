"""Where sessions are kept: the interface that memory and Redis share.

Every method is one atomic step. All stores pass the contract suite in tests/archive.
"""

from typing import Protocol

from archive.sessions import Chunk, Extent, Page, Session


class SessionStoreError(Exception):
    """The store cannot be reached, or took too long."""


class SessionStore(Protocol):
    """Sessions and their sound.

    A session and all that belongs to it is gone `ttl_s` after the last `put` or `append`.
    """

    async def put(self, session: Session, ttl_s: float) -> None:
        """Add a session or replace what is known of it.

        Raises:
            SessionStoreError: the store is away.
        """
        ...

    async def session(self, session_id: str) -> Session | None:
        """Return a session.

        Raises:
            SessionStoreError: the store is away.
        """
        ...

    async def page(self, vault: str, cursor: str | None, limit: int) -> Page:
        """Return up to `limit` sessions of a vault that began before the cursor, the latest first.

        Raises:
            SessionStoreError: the store is away.
        """
        ...

    async def append(self, session_id: str, chunk: Chunk, most_chunks: int, ttl_s: float) -> bool:
        """Add a chunk behind all others; the oldest ones beyond `most_chunks` are dropped.

        Returns False, with nothing changed, if the session is gone or the chunk is not later than
        the last one.

        Raises:
            ValueError: the chunk has more than `MAX_CHUNK_BYTES`.
            SessionStoreError: the store is away.
        """
        ...

    async def chunks(self, session_id: str, from_ms: int, limit: int) -> list[Chunk]:
        """Return up to `limit` chunks that begin at `from_ms` or later, in their order.

        Raises:
            SessionStoreError: the store is away.
        """
        ...

    async def extent(self, session_id: str) -> Extent:
        """Return what is kept of a session.

        Raises:
            SessionStoreError: the store is away.
        """
        ...

    async def remove(self, session_id: str) -> Session | None:
        """Remove a session and its sound; return it, or None if there was none.

        Raises:
            SessionStoreError: the store is away.
        """
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...
