"""A media worker without media: the real control protocol over a real socket, everything recorded.

It remembers rooms and participants as a worker must, answers offers with a made-up answer, and does
what a test tells it: say levels, offer, fail, stay silent, die, come back.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.support.patience import PATIENCE_S
from webrtc.control.messages import (
    CONTROL_VERSION,
    Answer,
    Candidate,
    Done,
    DropParticipant,
    DropRoom,
    Failed,
    KeptAll,
    KeptRoom,
    Levels,
    Offer,
    PeerState,
    PeerStateName,
    PeerStats,
    PutParticipant,
    PutRoom,
    RemoteAnswer,
    SourceLevel,
    SpreadStats,
    ToFront,
    ToWorker,
    Welcome,
    WorkerStats,
)
from webrtc.control.server import ControlServer


class FakeWorker:
    """Speaks as worker `index` on `path`.

    Attributes:
        rooms: the `PutRoom` of each room.
        participants: the latest `PutParticipant` of each participant.
        media: the state of each participant's media connection, as said by `send_media`.
        handled: every message since the start, in order.
        denoisers: engines of noise suppression that it says are installed.
        answer_offer: what answers an offer; replace it to fail or to wait.
    """

    def __init__(self, path: Path, index: int = 0) -> None:
        self.path = path
        self.index = index
        self.rooms: dict[str, PutRoom] = {}
        self.participants: dict[str, PutParticipant] = {}
        self.media: dict[str, PeerStateName] = {}
        self.handled: list[ToWorker] = []
        self.denoisers = ["webrtc", "rnnoise"]
        self.gateway_port = 0
        self.answer_offer: Callable[[Offer], Awaitable[ToFront | None] | ToFront | None] = (
            lambda offer: Answer(offer.id, f"answer to {offer.sdp}")
        )
        self.answer_candidate: Callable[[Candidate], ToFront | None] = lambda it: Done(it.id)
        self._server: ControlServer | None = None
        self._changed = asyncio.Condition()

    # ---- life ----

    async def start(self) -> None:
        """Listen."""
        self._server = ControlServer(self)
        await self._server.start(self.path)

    async def stop(self) -> None:
        """Go away with everything remembered, as when only the connection breaks."""
        assert self._server is not None
        await self._server.close()
        self._server = None

    async def die_and_return(self) -> None:
        """Be killed and restarted: nothing is remembered."""
        await self.stop()
        self.rooms.clear()
        self.participants.clear()
        self.media.clear()
        self.handled.clear()
        await self.start()

    # ---- what a test says through it ----

    def send(self, message: ToFront) -> None:
        """Say anything."""
        assert self._server is not None
        self._server.send(message)

    def send_media(self, participant_id: str, state: PeerStateName) -> None:
        """Say how a media connection is now."""
        self.media[participant_id] = state
        self.send(PeerState(participant_id, state))

    def send_levels(self, room_id: str, *levels: tuple[str, int, bool]) -> None:
        """Say levels: participant, dBov, speaking."""
        self.send(Levels(room_id, [SourceLevel(*level) for level in levels]))

    def send_stats(
        self,
        *peers: PeerStats,
        counters: dict[str, int] | None = None,
        uptime_s: float = 1.0,
        cpu_s: float = 0.5,
        shedding: int = 0,
    ) -> None:
        """Say figures."""
        self.send(
            WorkerStats(
                worker=self.index,
                uptime_s=uptime_s,
                cpu_s=cpu_s,
                rooms=len(self.rooms),
                participants=len(self.participants),
                peers=len(peers),
                ticks=100,
                tick_overruns=1,
                late_ticks=2,
                tick_p50_ms=0.25,
                tick_p99_ms=0.5,
                lateness_p99_ms=0.125,
                encodes=50,
                counters=counters or {},
                peer_stats=list(peers),
                shedding=shedding,
                tick=SpreadStats([0.001, 0.01], [98, 99, 100], 0.05),
            )
        )

    async def wait_until(self, condition: Callable[["FakeWorker"], bool]) -> None:
        """Wait until what was handled makes `condition` true."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: condition(self))

    # ---- WorkerHandler ----

    def welcome(self) -> Welcome:
        """Tell which worker this is."""
        return Welcome(
            version=CONTROL_VERSION,
            worker=self.index,
            pid=1000 + self.index,
            udp_port=40000 + self.index,
            realtime=True,
            engine="fake",
            dsp="numba",
            denoisers=self.denoisers,
            voice="silero",
            gateway_port=self.gateway_port,
        )

    def kept(self) -> list[KeptRoom | PutParticipant]:
        """Tell what is remembered."""
        rooms = [KeptRoom(one.room_id, one.state, one.workers) for one in self.rooms.values()]
        return [*rooms, *self.participants.values()]

    def kept_all(self) -> KeptAll:
        """Tell how media connections are."""
        return KeptAll(dict(self.media))

    def handle(self, message: ToWorker) -> Awaitable[ToFront | None] | ToFront | None:
        """Do as a worker does."""
        self.handled.append(message)
        self._notify()
        match message:
            case PutRoom():
                self.rooms[message.room_id] = message
            case DropRoom(room_id=room_id):
                self.rooms.pop(room_id, None)
                gone = [key for key, put in self.participants.items() if put.room_id == room_id]
                for key in gone:
                    del self.participants[key]
            case PutParticipant():
                assert message.room_id in self.rooms, "a participant came before its room"
                self.participants[message.participant_id] = message
            case DropParticipant(participant_id=participant_id):
                self.participants.pop(participant_id, None)
            case Offer() if message.participant_id not in self.participants:
                return Failed(message.id, "participant_not_found", "nobody of this id")
            case Offer():
                return self.answer_offer(message)
            case RemoteAnswer():
                return Done(message.id)
            case Candidate():
                return self.answer_candidate(message)
        return None

    def _notify(self) -> None:
        async def notify() -> None:
            async with self._changed:
                self._changed.notify_all()

        self._notifying = asyncio.create_task(notify())
