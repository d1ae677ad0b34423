"""People at the UDP gateway: real sockets, a pitch for a voice, and an ear for what comes back."""

import asyncio
import contextlib
from collections import Counter, deque
from types import TracebackType
from typing import Any, Self

import numpy as np

from gateway.wire.datagrams import CHUNK_S, CHUNK_SAMPLES, RATE_HZ, SILENT_CHUNK
from gateway.wire.lines import (
    Bye,
    Error,
    FromClient,
    Hello,
    LineReader,
    Ping,
    Pong,
    Users,
    Welcome,
    read_server_line,
    write_line,
)
from tests.support.patience import PATIENCE_S

AMPLITUDE = 0.25
_HEARD = 0.03
_UNHEARD = 0.003
_CHUNKS_HEARD = 22  # half a second


class UdpPerson(asyncio.DatagramProtocol):
    """Somebody whose client speaks and listens through the gateway; a context manager.

    Attributes:
        pitch_hz: The voice.
        speaks: Whether the voice is sent, or silence.
        sends: Whether anything is sent.
        heard: The last chunks, each with its time of arrival on the loop's clock.
        users: Who is in the room, as told last.
        errors: Reasons of the errors told.
        said: Why the server closed the line.
    """

    def __init__(self, port: int, pitch_hz: int, **hello: Any) -> None:
        self.pitch_hz = pitch_hz
        self.speaks = True
        self.sends = True
        self.heard: deque[tuple[float, bytes]] = deque(maxlen=5_000)
        self.users: Users = Users(users=[])
        self.errors: list[str] = []
        self.said: str | None = None
        self.gone = asyncio.Event()
        self.sizes: Counter[int] = Counter()
        self._port = port
        self._hello = Hello(**hello)
        self._sent = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()

    welcome: Welcome
    transport: asyncio.DatagramTransport

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self.say(self._hello)
        self._tasks.append(asyncio.create_task(self._read()))
        await self.until(lambda: hasattr(self, "welcome") or self.gone.is_set())
        if not self.gone.is_set():
            loop = asyncio.get_running_loop()
            self.transport, _ = await loop.create_datagram_endpoint(
                lambda: self, remote_addr=("127.0.0.1", self.welcome.udp_port)
            )
            self._tasks.append(asyncio.create_task(self._speak()))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._writer.close()
        if hasattr(self, "transport"):
            self.transport.close()

    def say(self, line: FromClient) -> None:
        """Send a line."""
        self._writer.write(write_line(line))

    def datagram_received(self, data: bytes, addr: object) -> None:
        """See `asyncio.DatagramProtocol`."""
        self.sizes[len(data)] += 1
        self.heard.append((asyncio.get_running_loop().time(), data))
        self._changed.set()

    def error_received(self, exc: Exception) -> None:
        """See `asyncio.DatagramProtocol`."""

    async def until(self, condition: Any, within_s: float = PATIENCE_S) -> None:
        """Wait until something that a line or datagram brings about."""
        async with asyncio.timeout(within_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def hears(self, *pitches_hz: int, of: tuple[int, ...]) -> None:
        """Wait until half a second holds these pitches and none of the others of `of`."""

        def right() -> bool:
            levels = self.levels(*of)
            return bool(levels) and all(
                level > _HEARD if pitch in pitches_hz else level < _UNHEARD
                for pitch, level in levels.items()
            )

        try:
            await self.until(right)
        except TimeoutError:
            raise AssertionError(f"heard {self.levels(*of)}, not {pitches_hz}") from None

    async def hears_at(self, pitch_hz: int, amplitude: float) -> None:
        """Wait until a pitch is as loud as that, within half a decibel."""

        def right() -> bool:
            level = self.levels(pitch_hz).get(pitch_hz, 0.0)
            return amplitude * 0.94 < level < amplitude * 1.06

        try:
            await self.until(right)
        except TimeoutError:
            raise AssertionError(f"{self.levels(pitch_hz)}, not {amplitude}") from None

    def levels(self, *pitches_hz: int) -> dict[int, float]:
        """Return the amplitude of pitches in the last half second; nothing if that is not there."""
        chunks = [chunk for _, chunk in self.heard][-_CHUNKS_HEARD:]
        if len(chunks) < _CHUNKS_HEARD:
            return {}
        sound = np.frombuffer(b"".join(chunks), "<i2") / 32767
        window = np.blackman(len(sound))
        turns = np.arange(len(sound)) / RATE_HZ
        return {
            pitch: float(
                2 * abs((sound * window) @ np.exp(-2j * np.pi * pitch * turns)) / window.sum()
            )
            for pitch in pitches_hz
        }

    def voice(self, number: int) -> bytes:
        """Return the voice's chunk of that number."""
        turns = (number * CHUNK_SAMPLES + np.arange(CHUNK_SAMPLES)) / RATE_HZ
        sound = AMPLITUDE * np.sin(2 * np.pi * self.pitch_hz * turns)
        return np.round(sound * 32767).astype("<i2").tobytes()

    def send(self, payload: bytes) -> None:
        """Send a datagram."""
        self.transport.sendto(self.welcome.client_id.encode() + payload)

    async def _speak(self) -> None:
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        while True:
            if self.sends:
                self.send(self.voice(self._sent) if self.speaks else SILENT_CHUNK)
            self._sent += 1
            await asyncio.sleep(begin_s + self._sent * CHUNK_S - loop.time())

    async def _read(self) -> None:
        lines = LineReader()
        with contextlib.suppress(ConnectionError):
            while data := await self._reader.read(4096):
                for text in lines.feed(data):
                    match read_server_line(text):
                        case Welcome() as welcome:
                            self.welcome = welcome
                        case Users() as users:
                            self.users = users
                        case Error(reason=reason):
                            self.errors.append(reason)
                        case Ping():
                            self.say(Pong())
                        case Bye(reason=reason):
                            self.said = reason
                    self._changed.set()
        self.gone.set()
        self._changed.set()
