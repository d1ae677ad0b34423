"""Who watches sessions, and what they were told.

What happens in this process is told at once. What another replica keeps, what is over after its
time, and what other programs write in Redis is found by looking at the store every now and then,
for the latest sessions of those that somebody watches. Whoever has lost the right is told no more.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from webrtc.errors import ClientError
from webrtc.sessions.access import SessionGrant
from webrtc.sessions.shapes import SessionInfo, SessionRemoved

if TYPE_CHECKING:
    from webrtc.signaling.connection import Connection

logger = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 2.0
_LOOKED_AT: Final = 100
_AWAY: Final = "archive_unavailable"

Grants = Callable[[str], Awaitable[SessionGrant]]
Pages = Callable[[SessionGrant, str | None, int], Awaitable[tuple[list[SessionInfo], str | None]]]


@dataclass(slots=True)
class _Watched:
    """Sessions of one vault.

    Attributes:
        grant: What one who watches them may do.
        watchers: Who does, and the token that each has shown.
        told: How each session was told of last, without its length.
    """

    grant: SessionGrant
    watchers: "dict[Connection, str]" = field(default_factory=dict)
    told: dict[str, SessionInfo] = field(default_factory=dict)


class Watchers:
    """Tells sockets of sessions.

    Args:
        grants: Tells what the bearer of a token may do; see `SessionAccess.of_token`.
        pages: Reads lists of sessions; see `Library.page`.
    """

    def __init__(self, grants: Grants, pages: Pages) -> None:
        self._grants = grants
        self._pages = pages
        self._watched: dict[str, _Watched] = {}

    async def watch(self, connection: "Connection", token: str) -> SessionGrant:
        """Tell a socket of sessions from now on, in place of those that it watched.

        Raises:
            ClientError: `unauthorized`, `forbidden`, `archive_unavailable`.
        """
        grant = await self._grants(token)
        shown, _ = await self._pages(grant, None, _LOOKED_AT)
        self.unwatch(connection)
        if connection.is_gone:
            return grant
        watched = self._watched.get(grant.vault)
        if watched is None:
            watched = self._watched[grant.vault] = _Watched(grant)
            watched.told = {one.session_id: _steady(one) for one in shown}
        watched.watchers[connection] = token
        return grant

    def unwatch(self, connection: "Connection") -> None:
        """Tell a socket no more."""
        for vault, watched in list(self._watched.items()):
            watched.watchers.pop(connection, None)
            if not watched.watchers:
                del self._watched[vault]

    def is_watched(self, vault: str) -> bool:
        """Return whether anybody watches the sessions of a vault."""
        return vault in self._watched

    def tell(self, vault: str, info: SessionInfo) -> None:
        """Tell of a session that changed."""
        watched = self._watched.get(vault)
        if watched is not None:
            watched.told[info.session_id] = _steady(info)
            for connection in watched.watchers:
                connection.emit("session_updated", info)

    def tell_gone(self, vault: str, session_id: str) -> None:
        """Tell of a session that is gone."""
        watched = self._watched.get(vault)
        if watched is not None:
            watched.told.pop(session_id, None)
            for connection in watched.watchers:
                connection.emit("session_removed", SessionRemoved(session_id))

    async def look_on(self) -> None:
        """Look every now and then, for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.look()
            except Exception:
                logger.exception("sessions were not looked at")

    async def look(self) -> None:
        """Look once what became of the sessions that somebody watches, and of their rights."""
        for vault, watched in list(self._watched.items()):
            try:
                await self._keep_rightful(vault, watched)
                if self._watched.get(vault) is watched:
                    await self._compare(vault, watched)
            except ClientError as error:
                if error.reason != _AWAY:  # a store that is away changes nothing
                    raise

    async def _keep_rightful(self, vault: str, watched: _Watched) -> None:
        for connection, token in list(watched.watchers.items()):
            try:
                grant = await self._grants(token)
            except ClientError as error:
                if error.reason == _AWAY:
                    raise
                self.unwatch(connection)
                continue
            if grant.vault != vault:
                self.unwatch(connection)

    async def _compare(self, vault: str, watched: _Watched) -> None:
        before = dict(watched.told)  # what is told meanwhile is newer than what is read
        found, cursor = await self._pages(watched.grant, None, _LOOKED_AT)
        for info in reversed(found):
            known = watched.told.get(info.session_id)
            if known == before.get(info.session_id) and known != _steady(info):
                self.tell(vault, info)
        here = {one.session_id for one in found}
        oldest = min((one.started_at or 0.0 for one in found), default=0.0)
        for session_id, told in before.items():
            # What is not among the latest may have been passed by newer ones, and still be there.
            seen = cursor is None or (bool(vault) and (told.started_at or 0.0) > oldest)
            if session_id in here or session_id not in watched.told:
                continue
            if seen:
                self.tell_gone(vault, session_id)
            else:
                del watched.told[session_id]


def _steady(info: SessionInfo) -> SessionInfo:
    """Return what is worth being told of: the length of what goes on is not."""
    return msgspec.structs.replace(info, duration_s=None) if info.state == "live" else info
