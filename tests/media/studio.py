"""A real media worker in a process of its own, and stock aiortc clients that sing into it."""

import asyncio
import contextlib
import fractions
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Self

import aioice.ice
import av
import numpy as np
import numpy.typing as npt
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from tests.support.patience import PATIENCE_S
from webrtc.control.client import WorkerLink
from webrtc.control.memory import Memory
from webrtc.control.messages import (
    Answer,
    DropParticipant,
    Levels,
    Offer,
    PeerState,
    PutParticipant,
    PutRoom,
    RemoteAnswer,
    ServerOffer,
    ToFront,
    TracksAssigned,
    WorkerStats,
)

ROOT = Path(__file__).resolve().parents[2]
RATE_HZ = 48_000

_PROGRAM = """
import logging, socket, sys
from pathlib import Path
from webrtc.media.process import run_worker
from webrtc.settings import Settings
logging.basicConfig(level=logging.INFO)
number, descriptor, path = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
run_worker(Settings(realtime=False), number, socket.socket(fileno=descriptor), path)
"""


class WorkerProcess:
    """A worker's process; `errors` is what it wrote to its log."""

    def __init__(self, folder: Path, number: int = 0) -> None:
        self.number = number
        self.control_path = folder / f"worker-{number}.sock"
        self._log = folder / f"worker-{number}.log"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, self._log.open("wb") as log:
            sock.bind(("127.0.0.1", 0))
            self.address: tuple[str, int] = sock.getsockname()
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    _PROGRAM,
                    str(number),
                    str(sock.fileno()),
                    str(self.control_path),
                ],
                pass_fds=[sock.fileno()],
                stderr=log,
                cwd=ROOT,
            )

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def log(self) -> str:
        """Everything logged so far."""
        return self._log.read_text()

    def open_files(self) -> int:
        """Return how many descriptors the process holds."""
        return len(list(Path(f"/proc/{self._process.pid}/fd").iterdir()))

    def stop(self) -> int:
        """End it as the supervisor does and return its exit status."""
        self._process.terminate()
        try:
            return self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise


@contextlib.contextmanager
def running_worker() -> Iterator[WorkerProcess]:
    """Run a worker; fails at the end when it did not end cleanly."""
    with tempfile.TemporaryDirectory(prefix="ag06") as folder:
        process = WorkerProcess(Path(folder))
        try:
            yield process
        finally:
            status = process.stop()
        assert status == 0
        assert "Traceback" not in process.log, process.log


@contextlib.contextmanager
def running_workers(count: int) -> Iterator[list[WorkerProcess]]:
    """Run several workers of one machine."""
    with tempfile.TemporaryDirectory(prefix="ag06") as folder:
        processes = [WorkerProcess(Path(folder), number) for number in range(count)]
        try:
            yield processes
        finally:
            statuses = [process.stop() for process in processes]
        assert statuses == [0] * count
        assert not any("Traceback" in process.log for process in processes)


class Front:
    """The front process's side: talks to the worker and notes what it says."""

    def __init__(self, worker: WorkerProcess) -> None:
        self.worker = worker
        self.stats: WorkerStats | None = None
        self.states: list[tuple[str, str]] = []
        self.levels: dict[str, tuple[int, bool]] = {}
        self.assigned: dict[str, dict[str, str | None]] = {}
        self.offered: dict[str, Callable[[str], Awaitable[str]]] = {}  # who answers our offers
        self._answering: set[asyncio.Task[None]] = set()
        self._there = asyncio.Event()
        self._link = WorkerLink(worker.number, worker.control_path, self)
        self._stats_came = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._link.run())
        async with asyncio.timeout(PATIENCE_S):
            await self._there.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def on_welcome(self, worker: int, memory: Memory) -> None:
        """The worker is there."""
        self.send = self._link.send
        asyncio.get_running_loop().call_soon(self._there.set)

    def on_message(self, worker: int, message: ToFront) -> None:
        """Note what the worker says."""
        match message:
            case WorkerStats():
                self.stats = message
            case PeerState(participant_id, state):
                self.states.append((participant_id, state))
            case Levels():
                for level in message.levels:
                    self.levels[level.participant_id] = (level.level_dbov, level.speaking)
            case TracksAssigned():
                for group in message.groups:
                    self.assigned.update(dict.fromkeys(group.participant_ids, group.tracks))
            case ServerOffer(participant_id, text):
                task = asyncio.create_task(self._have_answered(participant_id, text))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)

    def on_lost(self, worker: int) -> None:
        """The worker is away."""

    async def offer(self, participant_id: str, text: str) -> str:
        """Return the worker's answer to an offer."""
        answer = await self._link.request(lambda n: Offer(n, participant_id, text), PATIENCE_S)
        assert isinstance(answer, Answer)
        return answer.sdp

    async def _have_answered(self, participant_id: str, text: str) -> None:
        answer = await self.offered[participant_id](text)
        await self._link.request(lambda n: RemoteAnswer(n, participant_id, answer), PATIENCE_S)

    async def next_stats(self) -> WorkerStats:
        """Wait for the next report of the worker (one a second)."""
        before = self.stats
        async with asyncio.timeout(PATIENCE_S):
            while self.stats is before or self.stats is None:
                await asyncio.sleep(0.02)
        return self.stats

    async def until_state(self, participant_id: str, state: str) -> None:
        """Wait until a participant's connection was in a state."""
        async with asyncio.timeout(PATIENCE_S):
            while (participant_id, state) not in self.states:
                await asyncio.sleep(0.01)


class Tone(MediaStreamTrack):
    """A steady sine in real time."""

    kind = "audio"

    def __init__(self, pitch_hz: float) -> None:
        super().__init__()
        self._pitch_hz = pitch_hz
        self._sample = 0
        self._began_s: float | None = None

    async def recv(self) -> av.AudioFrame:
        """Return the next 20 ms when they are due."""
        now = time.monotonic()
        self._began_s = self._began_s or now
        await asyncio.sleep(max(0.0, self._began_s + self._sample / RATE_HZ - now))
        phase = 2 * np.pi * self._pitch_hz * (np.arange(960) + self._sample) / RATE_HZ
        wave = (0.2 * 32767 * np.sin(phase)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(
            np.repeat(wave, 2).reshape(1, -1), format="s16", layout="stereo"
        )
        frame.sample_rate, frame.pts = RATE_HZ, self._sample
        frame.time_base = fractions.Fraction(1, RATE_HZ)
        self._sample += 960
        return frame


class Client:
    """A participant with a stock aiortc connection that sings a pitch and records what it hears.

    Attributes:
        offers: What the worker offered.
        on_track: Seconds of sound, by the mid of the track that it came on.
    """

    def __init__(
        self,
        front: Front,
        room: str,
        name: str,
        csrc: int,
        pitch_hz: float,
        *,
        takes_tracks: bool = False,
    ) -> None:
        self.front = front
        self.offers: list[str] = []
        self.on_track: dict[str, npt.NDArray[np.float64]] = {}
        front.offered[name] = self._answer
        self.pitch_hz = pitch_hz
        self.name = name
        self.put = PutParticipant(room, name, csrc, True, True, takes_tracks=takes_tracks)
        self.sdp = ""
        self.answer = ""
        self._heard: list[npt.NDArray[np.float64]] = []
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._listening: asyncio.Task[None] | None = None
        self._others: list[asyncio.Task[None]] = []

    async def join(self, room: PutRoom | None = None) -> None:
        """Join the room and connect."""
        self.front.send(room or PutRoom(self.put.room_id))
        self.front.send(self.put)
        self._connection.addTrack(Tone(self.pitch_hz))
        self._connection.on("track", self._listen)
        await self._connection.setLocalDescription(await self._connection.createOffer())
        self.sdp = self._connection.localDescription.sdp
        self.answer = await self.front.offer(self.name, self.sdp)
        await self._connection.setRemoteDescription(RTCSessionDescription(self.answer, "answer"))
        await self.front.until_state(self.name, "connected")

    async def leave(self) -> None:
        """Close the connection and leave the room."""
        await self.hang_up()
        self.front.send(DropParticipant(self.name))
        for task in (self._listening, *self._others):
            if task is not None:
                task.cancel()

    async def hang_up(self) -> None:
        """Close the connection; the room still counts this participant in."""
        await self._connection.close()

    def change(self, **changes: object) -> None:
        """Change what the worker knows of this participant."""
        fields = {name: getattr(self.put, name) for name in self.put.__struct_fields__}
        self.put = PutParticipant(**{**fields, **changes})  # type: ignore[arg-type]
        self.front.send(self.put)

    def inject(self, data: bytes) -> None:
        """Send a datagram from the very address that the worker knows this client by."""
        transport = self._connection.getTransceivers()[0].sender.transport.transport
        pair = transport._connection._nominated[1]
        pair.protocol.transport.sendto(data, pair.remote_addr)

    async def hear_tracks(self, seconds: float) -> dict[str, npt.NDArray[np.float64]]:
        """Return what is heard from now on, by mid, of all tracks on which anything came."""
        self.on_track.clear()
        await asyncio.sleep(seconds)
        return dict(self.on_track)

    async def _answer(self, text: str) -> str:
        self.offers.append(text)
        await self._connection.setRemoteDescription(RTCSessionDescription(text, "offer"))
        await self._connection.setLocalDescription(await self._connection.createAnswer())
        return self._connection.localDescription.sdp

    def _mid_of(self, track: MediaStreamTrack) -> str:
        transceivers = self._connection.getTransceivers()
        return next(str(one.mid) for one in transceivers if one.receiver.track is track)

    async def listen_for(self, seconds: float) -> npt.NDArray[np.float64]:
        """Return what is heard from now on, mono; shorter where nothing came."""
        self._heard.clear()
        await asyncio.sleep(seconds)
        return np.concatenate(self._heard) if self._heard else np.zeros(0)

    def _listen(self, track: MediaStreamTrack) -> None:
        if self._listening is None:
            self._listening = asyncio.ensure_future(self._record(track))
        else:
            self._others.append(asyncio.ensure_future(self._record_track(track)))

    async def _record_track(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.AudioFrame)
                sound = frame.to_ndarray().reshape(-1, 2)[:, 0].astype(float) / 32768
                mid = self._mid_of(track)
                before = self.on_track.get(mid, np.zeros(0))
                self.on_track[mid] = np.concatenate([before, sound])

    async def _record(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.AudioFrame)
                sound = frame.to_ndarray().reshape(-1, 2)[:, 0].astype(float) / 32768
                self._heard.append(sound)


def pitches_in(sound: npt.NDArray[np.float64], candidates: list[float]) -> set[float]:
    """Return which of the pitches stand out by less than 30 dB below a voice at full level."""
    if len(sound) < 960:
        return set()
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) / (len(sound) / 4)
    frequencies = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    return {
        pitch
        for pitch in candidates
        if spectrum[np.abs(frequencies - pitch) < 15].max() > 0.2 * 10 ** (-30 / 20)
    }


TONES_HZ = [440.0, 1000.0, 2500.0]
"""What people sing who are told apart by `hears_on_tracks` and `hears_mix`."""


async def hears_on_tracks(
    person: Client, *others: Client, within_s: float = 15.0
) -> dict[str, float]:
    """Wait until a person hears each of the others on a track of its own, and nobody else."""
    expected = sorted(other.pitch_hz for other in others)
    heard: dict[str, set[float]] = {}
    for _ in range(int(within_s / 0.4)):
        tracks = await person.hear_tracks(0.4)
        found = {mid: pitches_in(sound, TONES_HZ) for mid, sound in tracks.items()}
        heard = {mid: pitches for mid, pitches in found.items() if pitches}
        if sorted(pitch for pitches in heard.values() for pitch in pitches) == expected:
            assert all(len(pitches) == 1 for pitches in heard.values())
            return {mid: next(iter(pitches)) for mid, pitches in heard.items()}
    raise AssertionError(f"{person.name} hears {heard}, not {expected}")


async def hears_mix(person: Client, *others: Client, within_s: float = 10.0) -> None:
    """Wait until a person hears the others in one mix."""
    expected = {other.pitch_hz for other in others}
    heard = set[float]()
    for _ in range(int(within_s / 0.4)):
        heard = pitches_in(await person.listen_for(0.4), TONES_HZ)
        if heard == expected:
            return
    raise AssertionError(f"{person.name} hears {heard}, not {expected}")


@contextlib.contextmanager
def loopback_only() -> Iterator[None]:
    """Let aiortc gather no other address: the worker under test has none."""
    kept = aioice.ice.get_host_addresses
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]
    try:
        yield
    finally:
        aioice.ice.get_host_addresses = kept
