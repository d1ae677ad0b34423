"""Opens and ends sessions, and stores what is said in them.

A session begins when somebody's sound may come in a room whose archive is on, and ends with their
seat, with the room, or when the archive is switched off.

| seat publishes, is connected | archive | session | what happens                        |
|------------------------------|---------|---------|-------------------------------------|
| yes                          | on      | none    | one is opened                       |
| was, and the seat is there   | on      | open    | it goes on                          |
| otherwise                    |         | open    | it ends; its retention begins       |
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from archive.sessions import Chunk, Session
from archive.store import SessionStore, SessionStoreError
from rooms import tokens
from rooms.models import Participant, Room

logger = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 0.5
_PUT_EVERY_S: Final = 5.0
_MOST_WAITING: Final = 2000


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody whose sound may be kept.

    Attributes:
        room: Where.
        participant_id: Who.
        sends: Whether there is a media connection.
    """

    room: Room
    participant_id: str
    sends: bool


class Scene(Protocol):
    """What the keeper asks of the rooms."""

    def archived(self) -> Iterable[Presence]:
        """Return who publishes in rooms whose archive is on."""
        ...

    async def participant(self, participant_id: str) -> Participant | None:
        """Return a participant."""
        ...


class SoundIntake(Protocol):
    """Where sound comes from."""

    def open(self, session: Session) -> None:
        """Take the sound of a session's participant from now on."""
        ...

    def end(self, participant_id: str) -> None:
        """Take no more of it."""
        ...


@dataclass(frozen=True, slots=True)
class Keeping:
    """How much is kept.

    Attributes:
        window_s: The latest so many seconds of sound.
        retention_s: So long after the end of a session.
    """

    window_s: int
    retention_s: int


Tell = Callable[[Session, bool], None]


def vault_of(room: Room) -> str:
    """Return whose sessions a room's are; see `Session.vault`."""
    return room.host_key_hash.hex()


class Keeper:
    """All sessions of this process's people.

    Attributes:
        counters: `chunks_kept`, `chunks_lost` (the store was away or too slow).
    """

    def __init__(
        self,
        store: SessionStore,
        scene: Scene,
        keeping: Keeping,
        tell: Tell,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Begin with no sessions.

        Args:
            store: Where they are kept.
            scene: Who is there.
            keeping: How much.
            tell: Is told of a session that changed, and whether it is gone.
            clock: Seconds since the epoch.
        """
        self.counters: Counter[str] = Counter()
        self.intake: SoundIntake | None = None
        self._store = store
        self._scene = scene
        self._keeping = keeping
        self._tell = tell
        self._clock = clock
        self._open: dict[str, Session] = {}
        self._put_at: dict[str, float] = {}
        self._waiting: asyncio.Queue[tuple[str, Chunk]] = asyncio.Queue(_MOST_WAITING)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def open_sessions(self) -> list[Session]:
        """The sessions that go on."""
        return list(self._open.values())

    def start(self) -> None:
        """Begin to look and to store, in the running event loop."""
        self._tasks = [
            asyncio.create_task(self._keep_looking(), name="sessions"),
            asyncio.create_task(self._keep_storing(), name="session sound"),
        ]

    async def close(self) -> None:
        """End all sessions."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for session in self.open_sessions:
            await self._end(session)
        await asyncio.sleep(0)  # what the intake has passed on arrives
        with contextlib.suppress(SessionStoreError):
            while not self._waiting.empty():
                await self._append(*self._waiting.get_nowait())

    def deliver(self, session_id: str, chunk: Chunk) -> None:
        """Take a chunk in."""
        try:
            self._waiting.put_nowait((session_id, chunk))
        except asyncio.QueueFull:
            self.counters["chunks_lost"] += 1

    async def look(self) -> None:
        """Open and end what is to be opened and ended."""
        now = self._clock()
        there: set[str] = set()
        for one in list(self._scene.archived()):
            session = self._open.get(one.participant_id)
            if session is not None and session.vault != vault_of(one.room):
                continue  # a room of the same name, made again
            if session is not None or one.sends:
                there.add(one.participant_id)
            if session is None and one.sends:
                await self._begin(one, now)
        for name in [name for name in self._open if name not in there]:
            await self._end(self._open[name])
        for name, session in list(self._open.items()):
            if now - self._put_at.get(name, 0.0) >= _PUT_EVERY_S:
                await self._note_seen(session, now)

    def forget(self, session: Session) -> None:
        """Take note that a session was deleted; one that went on begins anew."""
        self._drop(session.session_id)
        self._tell(session, True)

    async def _begin(self, one: Presence, now: float) -> None:
        participant = await self._scene.participant(one.participant_id)
        if participant is None:
            return
        session = Session(
            session_id=tokens.new_id(),
            vault=vault_of(one.room),
            room_id=one.room.room_id,
            participant_id=one.participant_id,
            name=participant.name,
            kind=participant.kind.value,
            started_at=now,
            seen_at=now,
            tenant=one.room.tenant,
        )
        self._open[one.participant_id] = session
        if await self._put(session):
            self._tell(session, False)
        if self.intake is not None:
            self.intake.open(session)

    async def _end(self, session: Session) -> None:
        now = self._clock()
        self._open.pop(session.participant_id, None)
        self._put_at.pop(session.participant_id, None)
        if self.intake is not None:
            self.intake.end(session.participant_id)
        ended = msgspec.structs.replace(session, ended_at=now, seen_at=now)
        if await self._put(ended):
            self._tell(ended, False)

    async def _note_seen(self, session: Session, now: float) -> None:
        self._put_at[session.participant_id] = now
        with contextlib.suppress(SessionStoreError):
            if await self._store.session(session.session_id) is None:
                self._drop(session.session_id)  # deleted elsewhere
                return
        seen = msgspec.structs.replace(session, seen_at=now)
        if self._open.get(session.participant_id) is session:
            self._open[session.participant_id] = seen
            await self._put(seen)

    def _drop(self, session_id: str) -> None:
        """Let a session that goes on be as if it had never been opened."""
        for name, session in list(self._open.items()):
            if session.session_id == session_id:
                del self._open[name]
                if self.intake is not None:
                    self.intake.end(name)

    async def _put(self, session: Session) -> bool:
        self._put_at[session.participant_id] = self._clock()
        try:
            await self._store.put(session, self._keeping.retention_s)
        except SessionStoreError as error:
            logger.warning("a session could not be noted: %s", error)
            return False
        return True

    async def _append(self, session_id: str, chunk: Chunk) -> None:
        keeping = self._keeping
        kept = await self._store.append(
            session_id, chunk, max(1, keeping.window_s), keeping.retention_s
        )
        self.counters["chunks_kept" if kept else "chunks_lost"] += 1

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.look()
            except Exception:
                logger.exception("sessions could not be looked after")

    async def _keep_storing(self) -> None:
        while True:
            session_id, chunk = await self._waiting.get()
            try:
                await self._append(session_id, chunk)
            except SessionStoreError:
                self.counters["chunks_lost"] += 1
            except Exception:
                self.counters["chunks_lost"] += 1
                logger.exception("a chunk could not be kept")
