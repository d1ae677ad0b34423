"""The media workers as the front process sees them: one link to each, and who serves whom."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from rooms import models
from rooms.models import Broadcast, Participant, Recording, Room
from rooms.replicas import index_of, replica_of, worker_number
from rooms.strip import to_wire
from webrtc.control.client import RequestBuilder, WorkerLink
from webrtc.control.memory import Memory
from webrtc.control.messages import (
    Answer,
    Content,
    Done,
    DropParticipant,
    DropRoom,
    Feed,
    KeptRoom,
    Levels,
    Meters,
    PeerState,
    PeerStats,
    PlainClient,
    PutParticipant,
    PutRoom,
    RecordRoom,
    ServerOffer,
    SimulatedNetwork,
    SourceMix,
    ToFront,
    ToWorker,
    TracksAssigned,
    UdpClient,
    Welcome,
    WorkerStats,
)
from webrtc.front_placement import Placement

FULL: Final = 0.95
"""Share of a core above which a worker has no time to spare."""
FULL_AFTER: Final = 5
"""Figures in a row, one a second, after which that counts."""
_LIVE: Final = ("connecting", "connected")
_OVER: Final = ("failed", "closed")
_encode = msgspec.msgpack.Encoder().encode


class PoolOwner(Protocol):
    """Who is told what the workers say."""

    async def on_welcome(self, worker: int, memory: Memory) -> None:
        """A worker came, or came back, and remembers this."""
        ...

    def on_levels(self, message: Levels) -> None:
        """Levels of a room changed."""
        ...

    def on_meters(self, message: Meters) -> None:
        """Watched strips were measured."""
        ...

    def on_peer_stats(self, figures: list[PeerStats]) -> None:
        """These are the latest figures of a worker's connections."""
        ...

    def on_server_offer(self, message: ServerOffer) -> None:
        """A worker wants to renegotiate with a participant."""
        ...

    def on_tracks_assigned(self, message: TracksAssigned) -> None:
        """Other people are on the tracks of some participants of a room."""
        ...

    def on_content(self, message: Content) -> None:
        """A publisher's sound was recognised as something."""
        ...

    @property
    def on_plain_client(self) -> Callable[[int, PlainClient], None]:
        """A worker hears a client of the gateway's old kind, whom nobody knows."""
        ...


def put_room(room: Room, workers: Sequence[int] = ()) -> PutRoom:
    """Return a room as each of its workers keeps it; these are numbers among all replicas'."""
    settings = room.settings
    is_shared = len(workers) > 1
    return PutRoom(
        room.room_id,
        _encode(room),
        settings.selection,
        settings.automix,
        settings.ducking_db,
        settings.target_lufs,
        settings.mode,
        list(workers) if is_shared else [],
        settings.archive,
        _record_room(room.recording),
        network=_network(room.network),
        broadcast=_broadcast_room(room.broadcast),
    )


def _record_room(recording: Recording | None) -> RecordRoom | None:
    """Return what of a room its workers are to record."""
    if recording is None:
        return None
    return RecordRoom(
        recording.recording_id,
        recording.rings,
        recording.spans,
        recording.keeper,
        dry="dry" in recording.tracks,
        processed="processed" in recording.tracks,
    )


def _broadcast_room(broadcast: Broadcast | None) -> RecordRoom | None:
    """Return where a worker of a room is to hand its mix to."""
    if broadcast is None:
        return None
    spans: list[tuple[float, float | None]] = [(broadcast.begin_s, None)]
    return RecordRoom(broadcast.broadcast_id, broadcast.rings, spans, broadcast.keeper)


def _network(network: models.SimulatedNetwork | None) -> SimulatedNetwork | None:
    return None if network is None else SimulatedNetwork(network.conditions, network.seed)


def put_participant(participant: Participant, ramp_ms: int = 0) -> PutParticipant:
    """Return a participant as a worker keeps it; who publishes nothing has no strip."""
    udp, feed = participant.udp, participant.feed
    return PutParticipant(
        room_id=participant.room_id,
        participant_id=participant.participant_id,
        csrc=participant.csrc,
        publishes=participant.publishes,
        subscribes=participant.subscribes,
        muted=participant.muted,
        deafened=participant.deafened,
        priority=participant.priority,
        pinned=participant.pinned,
        takes_tracks=participant.takes_tracks,
        mix={
            source: SourceMix(mix.gain_db, mix.pan, mix.muted, mix.solo)
            for source, mix in participant.mix.items()
        },
        strip=to_wire(participant.strip) if participant.publishes else {},
        ramp_ms=ramp_ms,
        udp=None if udp is None else UdpClient(udp.client_id, udp.payload, udp.host),
        feed=None if feed is None else Feed(feed.path, feed.plays),
        network=_network(participant.network),
        state=_encode(participant),
    )


class WorkerPool:
    """All workers of this server.

    Args:
        paths: their control sockets.
        owner: is told what they say.
        room_share: see `Placement`.
        replica: number of this server among all that share rooms.
    """

    def __init__(
        self, paths: list[Path], owner: PoolOwner, room_share: int, replica: int = 0
    ) -> None:
        self.elsewhere: Callable[[str], Collection[int]] = lambda _: ()
        """Returns the workers of other replicas that serve a room, by number among all."""
        self._owner = owner
        self._replica = replica
        self._links = [WorkerLink(worker, path, self) for worker, path in enumerate(paths)]
        self._placement = Placement(self, room_share)
        self._rooms: dict[str, Room] = {}
        self._serving: dict[str, Sequence[int]] = {}  # whom rooms were put to
        self._told: dict[str, Sequence[int]] = {}  # who serves them everywhere, as these know
        self._loads = [0.0 for _ in paths]
        self._full_for = [0 for _ in paths]  # how many figures in a row
        self._stats: list[WorkerStats | None] = [None for _ in paths]
        self._peer_stats: list[dict[str, PeerStats]] = [{} for _ in paths]  # the last of each
        self._peer_states: dict[str, str] = {}
        self._greeted = [asyncio.Event() for _ in paths]
        self._tasks: list[asyncio.Task[None]] = []

    def __len__(self) -> int:
        return len(self._links)

    # ---- life ----

    def start(self) -> None:
        """Connect to every worker and stay connected."""
        self._tasks = [
            asyncio.create_task(link.run(), name=f"link to worker {link.worker}")
            for link in self._links
        ]

    async def wait_for_all(self, timeout_s: float) -> None:
        """Wait until every worker has been there once, or for `timeout_s`."""
        waiting = [asyncio.create_task(event.wait()) for event in self._greeted]
        _, late = await asyncio.wait(waiting, timeout=timeout_s)
        for task in late:
            task.cancel()

    async def close(self) -> None:
        """Disconnect; the workers go on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ---- what is asked about them ----

    def connected(self, worker: int) -> bool:
        """Return whether a worker is there."""
        return self._links[worker].connected

    def welcome(self, worker: int) -> Welcome | None:
        """Return what a worker said of itself last."""
        return self._links[worker].welcome

    def stats(self, worker: int) -> WorkerStats | None:
        """Return a worker's latest figures; None while it is away."""
        return self._stats[worker]

    def peer_stats(self, worker: int, participant_id: str) -> PeerStats | None:
        """Return the latest figures of a participant's media connection; None before any."""
        return self._peer_stats[worker].get(participant_id)

    def peer_state(self, participant_id: str) -> str | None:
        """Return the state of a participant's media connection, None before there was one."""
        return self._peer_states.get(participant_id)

    def has_media(self, worker: int, participant_id: str) -> bool | None:
        """Return whether a participant's media flows, or is about to; None while nobody knows."""
        if not self.connected(worker):
            return None
        return self._peer_states.get(participant_id) in _LIVE

    def load(self, worker: int) -> float:
        """Return the share of a core that a worker took in the last second, 0 while it is away."""
        return self._loads[worker]

    def is_overloaded(self, worker: int) -> bool:
        """Return whether a worker has had no time to spare for some seconds, or says so itself.

        One more would cost those whom it serves their sound; a burst of joins passes.
        """
        stats = self._stats[worker]
        return self._full_for[worker] >= FULL_AFTER or (stats is not None and stats.shedding > 0)

    def place(self) -> int:
        """Return the worker for a new room: one that is there, with the fewest participants."""
        count = self._placement.count
        return min(
            range(len(self._links)),
            key=lambda worker: (not self.connected(worker), count(worker), worker),
        )

    def place_in(self, room: Room) -> int:
        """Return the worker for somebody who joins a room."""
        return self._placement.choose(room)

    def worker_of(self, participant_id: str) -> int | None:
        """Return the worker of a participant, None for strangers."""
        return self._placement.worker_of(participant_id)

    def workers_of(self, room: Room) -> Sequence[int]:
        """Return the workers of a room."""
        return self._placement.workers_of(room)

    def number_of(self, worker: int) -> int:
        """Return a worker's number among all of all replicas."""
        return worker_number(self._replica, worker)

    def index_of(self, number: int) -> int | None:
        """Return which of our workers has a number; None if none has."""
        index = index_of(number)
        return index if replica_of(number) == self._replica and index < len(self) else None

    def is_put(self, room_id: str) -> bool:
        """Return whether any worker of ours has been told of a room."""
        return room_id in self._rooms

    def has_people(self, room_id: str) -> bool:
        """Return whether workers of ours serve anybody in a room."""
        return self._placement.has_people(room_id)

    def is_needed(self, room: Room) -> bool:
        """Return whether workers of ours serve anybody in a room, or record or broadcast it."""
        kept = any(self.index_of(one) is not None for one in room.keepers)
        return kept or self.has_people(room.room_id)

    def serving(self, room_id: str) -> Sequence[int]:
        """Return the workers of a room, none for one that is gone."""
        return self._serving.get(room_id, ())

    # ---- what they are told ----

    def put_room(self, room: Room) -> None:
        """Tell the room's workers about it."""
        self._rooms[room.room_id] = room
        self._arrange(room.room_id)

    def keep_room(self, worker: int, room: Room, kept: KeptRoom) -> None:
        """Tell the room's workers about it, unless `worker` is the only one and knows it so."""
        wanted = put_room(room, self._everywhere(room))
        known = (kept.state, kept.workers) == (wanted.state, wanted.workers)
        if (
            known
            and list(self.workers_of(room)) == [worker]
            and {worker} >= set(self.serving(room.room_id))
        ):
            self._rooms[room.room_id] = room
            self._serving[room.room_id] = [worker]
            self._told[room.room_id] = self._everywhere(room)
        else:
            self.put_room(room)

    def archived_rooms(self) -> list[Room]:
        """Return the rooms whose archive is on."""
        return [room for room in self._rooms.values() if room.settings.archive]

    def drop_room(self, room: Room) -> None:
        """Tell the room's workers to forget it and everyone in it."""
        for worker in self._serving.pop(room.room_id, ()):
            self._links[worker].send(DropRoom(room.room_id))
        self._rooms.pop(room.room_id, None)
        self._told.pop(room.room_id, None)
        self._placement.forget_room(room.room_id)

    def put_participant(self, worker: int, participant: Participant, ramp_ms: int = 0) -> None:
        """Tell a worker about a participant of a room; a new strip may take its time.

        The worker serves the room from then on, if it did not.
        """
        self.place_kept(worker, participant)
        room = self._rooms.get(participant.room_id)
        if room is not None and worker not in self.serving(participant.room_id):
            self._arrange(participant.room_id)
        self._links[worker].send(put_participant(participant, ramp_ms))

    def drop_participant(self, worker: int, participant_id: str) -> None:
        """Tell a worker that a participant is gone; it may serve the room no longer then."""
        room_id = self._placement.remove(participant_id)
        self._forget_peer(participant_id)
        self._links[worker].send(DropParticipant(participant_id))
        if room_id is not None:
            self.arrange_if_new(room_id)

    def forget_participant(self, participant_id: str) -> None:
        """Count a participant no more, whose room was dropped."""
        self._placement.remove(participant_id)
        self._forget_peer(participant_id)

    def _forget_peer(self, participant_id: str) -> None:
        self._peer_states.pop(participant_id, None)
        for figures in self._peer_stats:
            figures.pop(participant_id, None)

    def place_kept(self, worker: int, participant: Participant) -> None:
        """Count a participant that the worker knows already."""
        self._placement.put(participant.room_id, participant.participant_id, worker)

    def expect(self, room_id: str, workers: Sequence[int]) -> None:
        """Take note who serves a room, as a worker remembers; the others have not been here yet."""
        self._placement.expect(room_id, workers)

    def arrange_if_new(self, room_id: str) -> None:
        """Let all know a room who serve it now, unless they do."""
        room = self._rooms.get(room_id)
        if room is not None and self._everywhere(room) != self._told.get(room_id):
            self._arrange(room_id)

    def _everywhere(self, room: Room) -> list[int]:
        """Return the workers of a room, ours and those of other replicas, by number."""
        ours = [self.number_of(worker) for worker in self._placement.workers_of(room)]
        return sorted({*ours, *self.elsewhere(room.room_id)})

    def _arrange(self, room_id: str) -> None:
        """Let all know a room who serve it now, and nobody else."""
        room = self._rooms[room_id]
        before, after = self.serving(room_id), self._placement.workers_of(room)
        self._serving[room_id] = after
        self._told[room_id] = everywhere = self._everywhere(room)
        message = put_room(room, everywhere)
        for worker in after:
            self._links[worker].send(message)
        for worker in before:
            if worker not in after:
                self._links[worker].send(DropRoom(room_id))

    def send(self, worker: int, message: ToWorker) -> None:
        """Send any message to a worker that is there."""
        self._links[worker].send(message)

    async def request(self, worker: int, build: RequestBuilder, timeout_s: float) -> Done | Answer:
        """Ask a worker; see `WorkerLink.request`."""
        return await self._links[worker].request(build, timeout_s)

    # ---- what they say (LinkOwner) ----

    async def on_welcome(self, worker: int, memory: Memory) -> None:
        """See `LinkOwner`."""
        await self._owner.on_welcome(worker, memory)
        for room_id in self._placement.has_told(worker):
            self.arrange_if_new(room_id)
        states = {
            name: state
            for name, state in memory.media.items()
            if self._placement.worker_of(name) == worker
        }
        self._peer_states.update(states)
        await self._links[worker].drain()  # it may be much, and whoever comes now is to find it
        self._greeted[worker].set()

    def on_message(self, worker: int, message: ToFront) -> None:
        """See `LinkOwner`."""
        match message:
            case Levels():
                self._owner.on_levels(message)
            case Meters():
                self._owner.on_meters(message)
            case ServerOffer():
                self._owner.on_server_offer(message)
            case TracksAssigned():
                self._owner.on_tracks_assigned(message)
            case Content():
                self._owner.on_content(message)
            case PlainClient():
                self._owner.on_plain_client(worker, message)
            case PeerState() if self._placement.worker_of(message.participant_id) == worker:
                self._peer_states[message.participant_id] = message.state
                if message.state in ("connecting", *_OVER):  # what was told is another's
                    self._peer_stats[worker].pop(message.participant_id, None)
            case WorkerStats():
                load = self._loads[worker] = _load(self._stats[worker], message)
                self._full_for[worker] = self._full_for[worker] + 1 if load > FULL else 0
                self._stats[worker] = message
                self._note_peers(worker, message.peer_stats)
                self._owner.on_peer_stats(message.peer_stats)

    def _note_peers(self, worker: int, figures: Iterable[PeerStats]) -> None:
        """Keep the last of each: a report tells of those who were visited since the one before."""
        for peer in figures:
            name = peer.participant_id
            is_over = self._peer_states.get(name) in _OVER
            if self._placement.worker_of(name) == worker and not is_over:
                self._peer_stats[worker][name] = peer

    def on_lost(self, worker: int) -> None:
        """See `LinkOwner`."""
        self._stats[worker] = None
        self._loads[worker] = 0.0
        self._full_for[worker] = 0
        self._peer_stats[worker] = {}
        for participant_id in self._placement.people_of(worker):
            self._peer_states.pop(participant_id, None)


def _load(before: WorkerStats | None, now: WorkerStats) -> float:
    """Return the share of a core between two reports of one worker."""
    if before is None or now.uptime_s <= before.uptime_s:
        return 0.0
    return (now.cpu_s - before.cpu_s) / (now.uptime_s - before.uptime_s)
