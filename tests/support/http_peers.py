"""WHIP and WHEP clients made of aiortc: a pitch for a voice, and an ear."""

import asyncio
import datetime
import fractions
from collections import deque
from typing import Any, Self

import aiohttp
import av
import numpy as np
from aiortc import MediaStreamTrack, RTCCertificate, RTCPeerConnection, RTCSessionDescription
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.patience import PATIENCE_S

AMPLITUDE = 0.25
_HEARD, _UNHEARD = 0.05, 0.005
_FRAMES = 25  # half a second
_RATE_HZ = 48_000


class Tone(MediaStreamTrack):
    """A steady pitch in frames of 20 ms, in step with the clock."""

    kind = "audio"

    def __init__(self, pitch_hz: int) -> None:
        super().__init__()
        self._pitch_hz = pitch_hz
        self._number = 0
        self._begin_s = 0.0

    async def recv(self) -> av.AudioFrame:
        """Return the next frame; see aiortc."""
        loop = asyncio.get_running_loop()
        self._begin_s = self._begin_s or loop.time()
        await asyncio.sleep(max(0.0, self._begin_s + self._number * 0.02 - loop.time()))
        turns = (self._number * 960 + np.arange(960)) / _RATE_HZ
        sound = np.round(AMPLITUDE * 32767 * np.sin(2 * np.pi * self._pitch_hz * turns))
        frame = av.AudioFrame.from_ndarray(
            np.repeat(sound.astype(np.int16), 2)[None], format="s16", layout="stereo"
        )
        frame.sample_rate = _RATE_HZ
        frame.pts = self._number * 960
        frame.time_base = fractions.Fraction(1, _RATE_HZ)
        self._number += 1
        return frame


class Peer:
    """A client of either kind; a context manager, within which it is connected.

    Attributes:
        status: of the answer to its offer.
        headers: of that answer.
        location: address of its session.
    """

    def __init__(
        self,
        base_url: str,
        path: str,
        pitch_hz: int | None = None,
        *,
        rsa_key: bool = False,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.connection = RTCPeerConnection()
        if rsa_key:
            # aiortc has no way to say it.
            vars(self.connection)["_RTCPeerConnection__certificates"] = [rsa_certificate()]
        self._base_url, self._path = base_url, path
        self._headers = {"Content-Type": "application/sdp", **(headers or {})}
        self._heard: deque[np.ndarray[Any, Any]] = deque(maxlen=500)
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        if pitch_hz is None:
            self.connection.addTransceiver("audio", direction="recvonly")
            self.connection.on("track", self._listen)
        else:
            self.connection.addTransceiver(Tone(pitch_hz), direction="sendonly")
        self.connection.on("connectionstatechange", self._changed.set)

    async def __aenter__(self) -> Self:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        async with (
            aiohttp.ClientSession() as http,
            http.post(
                self._base_url + self._path,
                data=self.connection.localDescription.sdp,
                headers=self._headers,
            ) as response,
        ):
            self.status, self.headers = response.status, response.headers
            answer = await response.text()
            assert response.status == 201, answer
        self.location = self._base_url + self.headers["Location"]
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await self.until(lambda: self.connection.connectionState == "connected")
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await self.connection.close()

    async def end(self) -> int:
        """End the session as its client should; return the status."""
        async with aiohttp.ClientSession() as http, http.delete(self.location) as response:
            return response.status

    async def until(self, condition: Any) -> None:
        """Wait until something that the network brings about."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def hears(self, *pitches_hz: int, of: tuple[int, ...]) -> None:
        """Wait until half a second holds these pitches and none of the others of `of`."""

        def right() -> bool:
            return len(self._heard) >= _FRAMES and all(
                self._level(pitch) > _HEARD
                if pitch in pitches_hz
                else self._level(pitch) < _UNHEARD
                for pitch in of
            )

        try:
            await self.until(right)
        except TimeoutError:
            heard = {pitch: self._level(pitch) for pitch in of} if self._heard else "nothing"
            raise AssertionError(f"heard {heard}, not {pitches_hz}") from None

    def _level(self, pitch_hz: int) -> float:
        sound = np.concatenate(list(self._heard)[-_FRAMES:])
        window = np.blackman(len(sound))
        turns = np.exp(-2j * np.pi * pitch_hz * np.arange(len(sound)) / _RATE_HZ)
        return float(2 * abs((sound * window) @ turns) / window.sum())

    def _listen(self, track: MediaStreamTrack) -> None:
        self._tasks.append(asyncio.create_task(self._hear(track)))

    async def _hear(self, track: MediaStreamTrack) -> None:
        while True:
            frame = await track.recv()
            assert isinstance(frame, av.AudioFrame)
            samples = frame.to_ndarray().reshape(-1, 2)[:, 0] / 32768
            self._heard.append(samples)
            self._changed.set()


def rsa_certificate() -> RTCCertificate:
    """Return a certificate as GStreamer makes them."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "peer")])
    now = datetime.datetime.now(tz=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    return RTCCertificate(key, certificate)  # type: ignore[arg-type]
