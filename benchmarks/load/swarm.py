"""Many participants, driven from one event loop.

Those who speak live in one media process, which sends on time at real-time priority where that is
permitted; those who only listen live in another, so that handshakes and reading delay nobody.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

import numpy as np

from benchmarks.load.arrivals import Arrivals
from benchmarks.load.commands import (
    Collect,
    Connect,
    Connected,
    Event,
    Failed,
    FirstPacket,
    Leave,
    Mark,
    Move,
    Open,
    Opened,
    Ready,
    Sent,
    Speak,
    Window,
)
from benchmarks.load.doors import Door, DoorError, SignalingConnection
from benchmarks.load.dtls import Certificate
from benchmarks.load.participant import Connection
from benchmarks.load.process import MediaProcess
from benchmarks.load.sdp import (
    OPUS_TYPE,
    RED_TYPE,
    Direction,
    Identity,
    RemotePeer,
    SdpError,
    make_offer,
    parse_answer,
)
from benchmarks.load.sources import SourcePlan
from benchmarks.load.websocket import WebsocketError
from mixer.netsim_settings import NetworkConditions

T = TypeVar("T")

_CONNECT_TIMEOUT_S = 20.0
_PARALLEL_JOINS = 16


class JoinError(Exception):
    """A participant did not get into its room."""


@dataclass(slots=True)
class Participant:
    """Somebody in a room.

    Attributes:
        number: index in all logs.
        room: where.
        speaks: whether it may send.
        remote: what the server answered.
        joined_at: when the join began, Unix epoch, s.
        connected_s: from there to the end of the handshake.
        sound_s: from there to the first packet of sound, None before it came.
        resume_token: brings the same seat back after a reload.
    """

    number: int
    room: str
    speaks: bool
    remote: RemotePeer
    signaling: SignalingConnection
    joined_at: float
    connected_s: float
    sound_s: float | None = None
    resume_token: str = ""


@dataclass(slots=True)
class _Waiting:
    """What a join still waits for."""

    opened: asyncio.Future[tuple[str, int]]
    connected: asyncio.Future[None]


@dataclass(frozen=True, slots=True)
class SwarmSettings:
    """How the participants appear.

    Attributes:
        capacity: most participants.
        own_sockets_on: one socket each on this address, instead of one for all on loopback.
        dtx: whether the offers ask for discontinuous transmission.
        hosts: server addresses to prefer among its candidates.
    """

    capacity: int = 4096
    own_sockets_on: str | None = None
    dtx: bool = False
    hosts: tuple[str, ...] = ("127.0.0.1",)


class Swarm:
    """Participants of one server."""

    def __init__(self, door: Door, settings: SwarmSettings | None = None) -> None:
        self._door = door
        self._settings = settings or SwarmSettings()
        self._certificate = Certificate.generate()
        self._waiting: dict[int, _Waiting] = {}
        self._ready: asyncio.Queue[Ready] = asyncio.Queue()
        self._windows: asyncio.Queue[Window] = asyncio.Queue()
        self._next_number = 0
        self._speaking: MediaProcess | None = None
        self._listening: MediaProcess | None = None
        self.participants: dict[int, Participant] = {}

    async def __aenter__(self) -> Self:
        self._speaking = self._start_process(realtime=True)
        self._listening = self._start_process(realtime=False)
        for _ in self._processes():
            await self._ready.get()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for participant in self.participants.values():
            participant.signaling.close()
        await asyncio.gather(*(process.close() for process in self._processes()))

    async def join(
        self,
        room: str,
        direction: Direction,
        *,
        speaks: bool = False,
        record: bool = False,
        door: Door | None = None,
        certificate: Certificate | None = None,
    ) -> Participant:
        """Bring one participant into `room` and wait until media may flow.

        Args:
            room: created when it is not there.
            direction: what the offer says.
            speaks: whether it will be told to `speak`.
            record: whether to keep what it hears.
            door: another one than the swarm's.
            certificate: another one than the swarm's, as after a reload of the page.

        Raises:
            JoinError: it did not get in.
        """
        number = self._next_number
        self._next_number += 1
        loop = asyncio.get_running_loop()
        waiting = self._waiting[number] = _Waiting(loop.create_future(), loop.create_future())
        process = self._speaking if speaks else self._listening
        assert process is not None
        joined_at = time.time()
        process.tell(Open(number))
        identity = Identity.generate()
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                address = await waiting.opened
                offer = make_offer(
                    identity,
                    address,
                    (certificate or self._certificate).fingerprint,
                    direction,
                    dtx=self._settings.dtx,
                )
                entry = await (door or self._door).enter(room, direction, offer)
                remote = parse_answer(entry.answer, self._settings.hosts)
                self.participants[number] = participant = Participant(
                    number, room, speaks, remote, entry.connection, joined_at, 0.0
                )
                participant.resume_token = entry.resume_token
                connection = Connection(number, identity, remote, _media_type(remote))
                process.tell(Connect(connection, record, certificate))
                await waiting.connected
        except (TimeoutError, DoorError, SdpError, WebsocketError, OSError) as error:
            raise JoinError(f"participant {number} in {room}: {error or 'no answer'}") from error
        participant.connected_s = time.time() - joined_at
        return participant

    async def join_all(
        self, room: str, direction: Direction, count: int, *, speaks: bool = False
    ) -> list[Participant]:
        """Bring `count` participants into `room`, a few at a time.

        Raises:
            JoinError: somebody did not get in; the others are there.
        """
        limit = asyncio.Semaphore(_PARALLEL_JOINS)

        async def join_one() -> Participant:
            async with limit:
                return await self.join(room, direction, speaks=speaks)

        outcomes = await asyncio.gather(*(join_one() for _ in range(count)), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return [outcome for outcome in outcomes if isinstance(outcome, Participant)]

    def speak(
        self,
        participant: Participant,
        plan: SourcePlan,
        *,
        offset_s: float = 0.0,
        network: NetworkConditions | None = None,
        seed: int = 0,
    ) -> None:
        """Let a participant send, from the next full second of the clock plus `offset_s` on.

        With a `network`, through one that is simulated by that seed.
        """
        assert self._speaking is not None
        self._speaking.tell(Speak(participant.number, plan, offset_s, network, seed))

    def move(self, participant: Participant) -> None:
        """Let a participant's packets come from another address from now on."""
        self._process_of(participant).tell(Move(participant.number))

    def leave(self, participant: Participant) -> None:
        """Hang up, and end the media."""
        participant.signaling.close()
        self.forget(participant)

    def forget(self, participant: Participant) -> None:
        """End a participant's media without a word to the server; signaling stays as it is."""
        self.participants.pop(participant.number, None)
        self._waiting.pop(participant.number, None)
        self._process_of(participant).tell(Leave(participant.number))

    async def measure(self, seconds: float) -> Window:
        """Return what everybody sent and received in the next `seconds`."""
        for process in self._processes():
            process.tell(Mark())
        await asyncio.sleep(seconds)
        for process in self._processes():
            process.tell(Collect())
        return _merge([await self._windows.get() for _ in self._processes()])

    def _start_process(self, *, realtime: bool) -> MediaProcess:
        return MediaProcess(
            self._certificate,
            self._handle,
            capacity=self._settings.capacity,
            own_sockets_on=self._settings.own_sockets_on,
            realtime=realtime,
        )

    def _process_of(self, participant: Participant) -> MediaProcess:
        process = self._speaking if participant.speaks else self._listening
        assert process is not None
        return process

    def _processes(self) -> Sequence[MediaProcess]:
        return [process for process in (self._speaking, self._listening) if process is not None]

    def _handle(self, event: Event) -> None:
        match event:
            case Opened(number, address):
                if number in self._waiting:
                    _resolve(self._waiting[number].opened, address)
            case Connected(number):
                if number in self._waiting:
                    _resolve(self._waiting[number].connected, None)
            case Failed(number, reason):
                waiting = self._waiting.get(number)
                if waiting is not None and not waiting.connected.done():
                    waiting.connected.set_exception(DoorError(reason))
            case FirstPacket(number, stamp_ns):
                participant = self.participants.get(number)
                if participant is not None:
                    participant.sound_s = stamp_ns / 1e9 - participant.joined_at
            case Ready():
                self._ready.put_nowait(event)
            case Window():
                self._windows.put_nowait(event)


def _resolve(future: asyncio.Future[T], value: T) -> None:
    if not future.done():
        future.set_result(value)


def _media_type(remote: RemotePeer) -> int:
    """Return the payload type to send: the answer's favourite, as Chromium chooses."""
    return next((kind for kind in remote.payload_types if kind in (OPUS_TYPE, RED_TYPE)), OPUS_TYPE)


def _merge(windows: list[Window]) -> Window:
    recordings = {number: got for window in windows for number, got in window.recordings.items()}
    return Window(
        arrivals=Arrivals.join([window.arrivals for window in windows]),
        sent=Sent(
            np.concatenate([window.sent.participant for window in windows]),
            np.concatenate([window.sent.number for window in windows]),
            np.concatenate([window.sent.ready_ns for window in windows]),
            np.concatenate([window.sent.sent_ns for window in windows]),
        ),
        recordings=recordings,
        dropped=sum(window.dropped for window in windows),
        cpu_s=sum(window.cpu_s for window in windows),
        duration_s=max(window.duration_s for window in windows),
    )
