"""Revoked join tokens of all replicas: each has a copy, in Redis and from there."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from rooms import shared_scripts as scripts
from rooms.store import CapacityError

MOST: Final = 10_000

Write = Callable[..., Awaitable[bool]]


class SharedRevocations:
    """See `rooms.revocations.RevocationStore`."""

    def __init__(self, write: Write, most: int = MOST) -> None:
        """Begin with none.

        Args:
            write: Runs a script in Redis unless that is away.
            most: How many it holds.
        """
        self._write = write
        self._most = most
        self._until: dict[str, float] = {}

    async def add(self, token_id: str, until: float, now: float) -> None:
        """See `RevocationStore`."""
        self._until = {name: end for name, end in self._until.items() if end > now}
        if until <= now:
            return
        if token_id not in self._until and len(self._until) >= self._most:
            raise CapacityError(token_id)
        await self._write(scripts.REVOKE, token_id, repr(until), repr(now), self._most)
        self.follow(token_id, until)

    async def holds(self, token_id: str) -> bool:
        """See `RevocationStore`."""
        return token_id in self._until

    def follow(self, token_id: str, until: float) -> bool:
        """Take one that any replica has revoked; return whether that is news."""
        before = self._until.get(token_id)
        self._until[token_id] = until if before is None else max(before, until)
        return before is None

    def unknown_to(self, theirs: Mapping[str, float]) -> dict[str, float]:
        """Return those that are not in Redis."""
        return {name: until for name, until in self._until.items() if name not in theirs}
