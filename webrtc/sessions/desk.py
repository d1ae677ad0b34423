"""The archive's desk: puts its parts together, for REST, Socket.IO and the rooms."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from archive.encodings import SampleFormat
from archive.foreign import ForeignSessions
from archive.memory_store import MemorySessionStore
from archive.sessions import Session
from archive.store import SessionStore
from rooms.models import Participant, Room
from rooms.store import RoomStore
from webrtc.access import Access
from webrtc.errors import ClientError
from webrtc.front_workers import WorkerPool
from webrtc.sessions.access import SessionAccess, SessionGrant
from webrtc.sessions.intake import Intake
from webrtc.sessions.keeper import Keeper, Keeping, Presence, vault_of
from webrtc.sessions.library import Library, store_away_is_told
from webrtc.sessions.playbacks import Playbacks
from webrtc.sessions.shapes import WatchedSessions, WatchSessions
from webrtc.sessions.watchers import Watchers

if TYPE_CHECKING:  # whose events tell of sessions
    from webrtc.signaling.connection import Connection
    from webrtc.signaling.presence import Presence as Seats

_CONNECTED = "connected"
_COUNTERS = ("chunks_kept", "chunks_lost", "pieces", "strangers", "defects")


@dataclass(frozen=True, slots=True)
class SessionParts:
    """What the operator decided about the archive; see the settings of similar names.

    Attributes:
        store: Where sessions are kept; None for the memory of this process.
        foreign: Reads sessions of other programs; None for none.
        hint: What their raw samples are likely to be.
    """

    window_s: int = 300
    retention_s: int = 3600
    bitrate_bps: int = 48_000
    playbacks: int = 8
    store: SessionStore | None = None
    foreign: ForeignSessions | None = None
    hint: SampleFormat | None = None


class SessionDesk:
    """All of the archive in this process.

    Attributes:
        access: Whose sessions a bearer may see.
        keeper: What opens and ends them.
        library: What finds them.
        playbacks: Who listens to them.
        intake: What takes their sound, once it runs.
    """

    def __init__(
        self,
        rooms: RoomStore,
        workers: WorkerPool,
        seats: "Seats",
        access: Access,
        parts: SessionParts | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Put the parts together; nothing runs yet.

        Args:
            rooms: Where rooms are.
            workers: Who serves them.
            seats: Who is here.
            access: Knows tokens.
            parts: What the operator decided.
            clock: Seconds since the epoch.
        """
        parts = parts or SessionParts()
        self.store = parts.store or MemorySessionStore()
        self.access = SessionAccess(access, rooms, self.store)
        self.playbacks = Playbacks(parts.playbacks, time.monotonic)
        self.library = Library(
            self.store, parts.foreign, parts.hint, self.playbacks.is_playing, clock
        )
        keeping = Keeping(parts.window_s, parts.retention_s)
        self.keeper = Keeper(self.store, self, keeping, self._tell, clock)
        self.intake: Intake | None = None
        self._rooms = rooms
        self._workers = workers
        self._seats = seats
        self._bitrate_bps = parts.bitrate_bps
        self._watchers = Watchers(self._grant, self.library.page)
        self._looking: asyncio.Task[None] | None = None

    def start(self, socket_path: Path) -> None:
        """Begin to keep, in the running event loop; workers hand over at `socket_path`."""
        self.intake = Intake(socket_path, self._bitrate_bps, self.keeper.deliver)
        self.intake.start()
        self.keeper.intake = self.intake
        self.keeper.start()
        self._looking = asyncio.create_task(self._watchers.look_on(), name="who watches sessions")

    async def close(self) -> None:
        """End all sessions, and let what was said be kept."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await self.keeper.close()
        if self.intake is not None:
            self.intake.close()
        await self.store.close()

    @property
    def counters(self) -> dict[str, int]:
        """What `Keeper.counters` and `Intake.counters` count, zeros included."""
        counters = self.keeper.counters + (self.intake.counters if self.intake else Counter())
        return {name: counters[name] for name in _COUNTERS}

    # ---- who is there (keeper.Scene) ----

    def archived(self) -> Iterable[Presence]:
        """See `Scene`."""
        for room in self._workers.archived_rooms():
            for seat in self._seats.seats_in(room.room_id):
                if seat.publishes:
                    state = self._workers.peer_state(seat.participant_id)
                    yield Presence(room, seat.participant_id, state == _CONNECTED)

    async def participant(self, participant_id: str) -> Participant | None:
        """See `Scene`."""
        return await self._rooms.participant(participant_id)

    async def room_to_play_in(self, grant: SessionGrant, room_id: str) -> Room:
        """Return the room if the bearer may play sessions there.

        Raises:
            ClientError: `room_not_found`, `forbidden`.
        """
        room = await self._rooms.room(room_id)
        at_home = grant.is_operator or (room is not None and vault_of(room) == grant.vault)
        if not (grant.may_play and at_home):  # which does not tell whether there is such a room
            raise ClientError("forbidden", "sessions are played into their own room, by play_files")
        if room is None:
            raise ClientError("room_not_found", "there is no such room")
        return room

    # ---- who watches ----

    async def watch(self, connection: "Connection", request: WatchSessions) -> WatchedSessions:
        """Tell a socket of sessions from now on; in place of those that it watched.

        Raises:
            ClientError: `unauthorized`, `forbidden`.
        """
        grant = await self._watchers.watch(connection, request.token)
        return WatchedSessions(grant.may_delete)

    def unwatch(self, connection: "Connection") -> None:
        """Tell a socket no more."""
        self._watchers.unwatch(connection)

    def tell_of(self, session: Session) -> None:
        """Tell those who watch a session how it is now."""
        self._tell(session, False)

    async def _grant(self, token: str) -> SessionGrant:
        with store_away_is_told():
            return await self.access.of_token(token)

    def _tell(self, session: Session, gone: bool) -> None:
        if gone:
            self._watchers.tell_gone(session.vault, session.session_id)
        elif self._watchers.is_watched(session.vault):
            self._watchers.tell(session.vault, self.library.info(session))
