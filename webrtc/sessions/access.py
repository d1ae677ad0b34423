"""Whose sessions a bearer may see.

| bearer token     | who that is                | sessions                                  |
|------------------|----------------------------|-------------------------------------------|
| resume token     | a participant who is there | of their room, if `may` says so           |
| host key         | host of its room           | of that room, also after it has closed    |
| join token       | whoever has it             | of the one room it names, if grants do so |
| operator's token | the operator               | foreign ones, that other programs wrote   |

Where join tokens are wanted, a host key alone opens nothing.
"""

from dataclasses import dataclass
from typing import Final

from archive.store import SessionStore
from rooms import tokens
from rooms.models import Participant, Room
from rooms.rights import Grant, Right, belongs, held, may, opened_by
from rooms.store import RoomStore
from webrtc.access import Access
from webrtc.errors import ClientError
from webrtc.sessions.keeper import vault_of

_MOST_CHARS: Final = 4096


@dataclass(frozen=True, slots=True)
class SessionGrant:
    """What a bearer may do.

    Attributes:
        vault: Whose sessions, "" for the foreign ones.
        may_delete: Whether sessions may be deleted.
        may_play: Whether they may be played into their room; the operator may into any.
    """

    vault: str
    may_delete: bool
    may_play: bool

    @property
    def is_operator(self) -> bool:
        """Whether this is for foreign sessions."""
        return not self.vault


OPERATOR: Final = SessionGrant("", may_delete=False, may_play=True)
"""May see foreign sessions, which are others' to delete."""


class SessionAccess:
    """Looks tokens up."""

    def __init__(self, access: Access, rooms: RoomStore, sessions: SessionStore) -> None:
        """Prepare.

        Args:
            access: Knows join tokens and the operator's.
            rooms: Where rooms are.
            sessions: Where sessions are.
        """
        self._access = access
        self._rooms = rooms
        self._sessions = sessions

    async def of_token(self, token: str) -> SessionGrant:
        """Return what the bearer of a token may do.

        Raises:
            ClientError: `unauthorized`, `forbidden`, and others of `Access`.
            SessionStoreError: the store is away.
        """
        if not token or len(token) > _MOST_CHARS:
            raise ClientError("unauthorized", "a host key or a resume token is wanted as bearer")
        participant_id, secret = tokens.split_resume_token(token)
        participant = await self._rooms.participant(participant_id) if secret else None
        if participant is not None and tokens.matches(secret, participant.resume_hash):
            return await self._of_participant(participant)
        if self._access.names_operator(token):
            return OPERATOR
        if self._access.wants_tokens:
            return await self._of_join_token(token)
        return await self._of_host_key(token)

    async def _of_participant(self, participant: Participant) -> SessionGrant:
        room = await self._rooms.room(participant.room_id)
        if room is None or not may(participant, Right.HEAR_SESSIONS, room):
            raise _refused()
        return _granted(room, held(participant))

    async def _of_join_token(self, token: str) -> SessionGrant:
        shown = await self._access.check(token)
        rights = opened_by(shown.grants)
        room = None if shown.only_room is None else await self._rooms.room(shown.only_room)
        is_theirs = room is not None and belongs(room, shown.tenant)
        if room is None or not is_theirs or Right.HEAR_SESSIONS not in rights:
            raise _refused()
        return _granted(room, rights)

    async def _of_host_key(self, key: str) -> SessionGrant:
        vault = tokens.fingerprint(key).hex()
        for room in await self._rooms.rooms():
            if vault_of(room) == vault:
                return _granted(room, opened_by({Grant.HOST}))
        if (await self._sessions.page(vault, None, 1)).sessions:  # the room has closed
            return SessionGrant(vault, may_delete=True, may_play=False)
        raise ClientError("unauthorized", "this token opens no room's sessions")


def _granted(room: Room, rights: frozenset[Right]) -> SessionGrant:
    return SessionGrant(
        vault_of(room),
        may_delete=Right.RUN_ARCHIVE in rights,
        may_play=Right.PLAY_FILES in rights,
    )


def _refused() -> ClientError:
    return ClientError("forbidden", f"this takes the right {Right.HEAR_SESSIONS.value}")
