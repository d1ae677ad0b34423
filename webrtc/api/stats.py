"""`/api/stats`: the workers' latest figures, by worker, room and participant."""

import msgspec
from aiohttp import web

from webrtc.api.guard import Need
from webrtc.api.routes import Reply, Route, json_reply
from webrtc.control.messages import PeerStats, WorkerStats
from webrtc.recording.figures import RecordingFigures
from webrtc.signaling.desk import FrontDesk
from webrtc.signaling.dispatch import Dispatcher
from webrtc.signaling.messages_media import spelled_out


class ParticipantStats(msgspec.Struct, frozen=True):
    """One participant; `media` is null before the first figures. No names: ids only."""

    participant_id: str
    attached: bool
    media_state: str | None
    media: PeerStats | None


class RoomStats(msgspec.Struct, frozen=True):
    """One room."""

    room_id: str
    participants: list[ParticipantStats]


class WorkerReport(msgspec.Struct, frozen=True):
    """One media worker; `figures` is null while it is away, its peers stand with their rooms."""

    worker: int
    connected: bool
    figures: WorkerStats | None
    rooms: list[RoomStats]


class FrontStats(msgspec.Struct, frozen=True):
    """The front process."""

    sockets: int
    rooms: int
    participants: int


class SessionStats(msgspec.Struct, frozen=True):
    """The archive: sessions that go on, and chunks of a second: kept, and lost on their way."""

    open: int
    counters: dict[str, int]


class Stats(msgspec.Struct, frozen=True):
    """All figures; counters are cumulative since the process they belong to started."""

    front: FrontStats
    sessions: SessionStats
    recordings: list[RecordingFigures]
    workers: list[WorkerReport]


class StatsResource:
    """Answers with figures."""

    def __init__(self, desk: FrontDesk, dispatcher: Dispatcher) -> None:
        self._desk = desk
        self._dispatcher = dispatcher
        self.routes = [
            Route(
                "GET",
                "/api/stats",
                self.stats,
                "Figures of every worker, room and participant, at most a second old.",
                {200: Reply("The figures.", Stats)},
                need=Need.OPERATOR,
            )
        ]

    async def stats(self, _: web.Request) -> web.Response:
        """`GET /api/stats`."""
        pool = self._desk.workers
        rooms: list[list[RoomStats]] = [[] for _ in range(len(pool))]
        people = room_count = 0
        for room in await self._desk.conference.store.rooms():
            members = await self._desk.conference.store.participants(room.room_id)
            people += len(members)
            room_count += 1
            for worker in pool.serving(room.room_id):
                here = [one.participant_id for one in members]
                here = [name for name in here if pool.worker_of(name) == worker]
                listed = [self._participant(worker, name) for name in here]
                rooms[worker].append(RoomStats(room.room_id, listed))
        reports = [
            WorkerReport(worker, pool.connected(worker), self._figures(worker), rooms[worker])
            for worker in range(len(pool))
        ]
        front = FrontStats(self._dispatcher.sockets, room_count, people)
        archive = self._desk.sessions
        sessions = SessionStats(len(archive.keeper.open_sessions), archive.counters)
        return json_reply(Stats(front, sessions, self._desk.recordings.live, reports))

    def _figures(self, worker: int) -> WorkerStats | None:
        figures = self._desk.workers.stats(worker)
        return figures and spelled_out(msgspec.structs.replace(figures, peer_stats=[]))

    def _participant(self, worker: int, participant_id: str) -> ParticipantStats:
        seat = self._desk.presence.seat(participant_id)
        figures = self._desk.workers.peer_stats(worker, participant_id)
        return ParticipantStats(
            participant_id,
            seat is not None and seat.connection is not None,
            self._desk.workers.peer_state(participant_id),
            figures and spelled_out(figures),
        )
