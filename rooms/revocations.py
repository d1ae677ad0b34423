"""Join tokens that open nothing any more, although they have not expired."""

from typing import Protocol

from rooms.store import CapacityError


class RevocationStore(Protocol):
    """Ids of revoked tokens, each kept until its token has expired by itself."""

    async def add(self, token_id: str, until: float, now: float) -> None:
        """Revoke a token.

        Args:
            token_id: its `jti`.
            until: its `exp`, seconds since the epoch.
            now: seconds since the epoch.

        Raises:
            CapacityError: it holds as many as it may. None is ever dropped to make room, for that
                would let somebody in again.
        """
        ...

    async def holds(self, token_id: str) -> bool:
        """Return whether a token has been revoked."""
        ...


class MemoryRevocations:
    """Keeps them as long as the process lives.

    Args:
        most: how many it holds.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._revoked: dict[str, float] = {}

    async def add(self, token_id: str, until: float, now: float) -> None:
        """See `RevocationStore`."""
        self._revoked = {name: end for name, end in self._revoked.items() if end > now}
        if until <= now:
            return
        if token_id not in self._revoked and len(self._revoked) >= self._most:
            raise CapacityError(token_id)
        self._revoked[token_id] = max(until, self._revoked.get(token_id, until))

    async def holds(self, token_id: str) -> bool:
        """See `RevocationStore`."""
        return token_id in self._revoked
