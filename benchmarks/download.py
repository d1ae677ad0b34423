"""Whether the download of an hour of sound costs memory: what all processes hold before and while.

Downloads of an hour in stereo at 48 kHz, one after the other: a session's WAV, decoded from the
Opus that Redis keeps, twice; a recording's WAV of 24 bits; the same as a zip. The hour is made at
once: one second of a tone 3,600 times for the session, a file of holes for the recording. Before,
the server has come to rest and has sent the first bytes of each, which loads what that takes.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import aiohttp
import numpy as np
import redis.asyncio

from archive.encodings import ENCODINGS, SampleFormat
from archive.redis_store import RedisSessionStore
from archive.rolling import PACKET_FRAMES
from archive.sessions import Chunk, Session, pack
from archive.wav import wav_header
from benchmarks.harness.options import parse_options, run
from benchmarks.harness.report import Figure, print_result, print_table
from benchmarks.harness.server import Server, our_server
from rooms import tokens
from tests.support.redis_server import RedisServer
from webrtc.media.opus import Encoder, EncoderSettings
from webrtc.recording import files
from webrtc.recording.files import Manifest, Order
from webrtc.recording.tracks import TrackInfo

TARGET_MB: Final = 32
ROOM: Final = "studio"
RATE_HZ: Final = 48_000
_PART_BYTES: Final = 1 << 20
_LOOK_EVERY_S: Final = 0.2
_KEPT_S: Final = 3600
_REST_LOOKS: Final = 4
_REST_KB: Final = 512
_REST_TIMEOUT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Download:
    """What one download showed; memory is the PSS of all of the server's processes, in KB."""

    received: int
    seconds: float
    before_kb: int
    most_kb: int
    after_kb: int


async def store_session(url: str, vault: str, seconds: int) -> str:
    """Put an ended session of so many seconds into Redis; return its id."""
    turns = np.arange(RATE_HZ) / RATE_HZ * 2 * np.pi
    tone = np.stack([np.sin(440 * turns), np.sin(550 * turns)], 1).astype(np.float32)
    encoder = Encoder(EncoderSettings())
    starts = range(0, RATE_HZ, PACKET_FRAMES)
    packets = pack(encoder.encode(tone[at : at + PACKET_FRAMES]) for at in starts)
    store = RedisSessionStore(redis.asyncio.from_url(url))
    began = time.time() - seconds
    session = Session(
        session_id=tokens.new_id(),
        vault=vault,
        room_id=ROOM,
        participant_id=tokens.new_id(),
        started_at=began,
        seen_at=began + seconds,
        ended_at=began + seconds,
    )
    await store.put(session, _KEPT_S)
    for second in range(seconds):
        chunk = Chunk(second * 1000, 1000, packets)
        await store.append(session.session_id, chunk, seconds, _KEPT_S)
    await store.close()
    return session.session_id


def store_recording(root: Path, key: str, seconds: int) -> str:
    """Make the files of a recording of so many seconds; return its id."""
    recording_id = "20260101-000000-benchmark"
    folder = root / ROOM / recording_id
    folder.mkdir(parents=True)
    form = SampleFormat(ENCODINGS["s24le"], RATE_HZ, 2)
    size = seconds * RATE_HZ * form.frame_size
    header = wav_header(form, size)
    with (folder / "mix.wav").open("wb") as file:
        file.write(header)
        file.truncate(len(header) + size)
    order = Order(
        recording_id=recording_id,
        room_id=ROOM,
        key=key,
        started_at=0.0,
        format="wav",
        state="stopped",
        most_bytes=1,
        least_free_bytes=1,
    )
    manifest = Manifest(
        recording_id=recording_id,
        room_id=ROOM,
        state="stopped",
        started_at=0.0,
        format="wav",
        sample_rate_hz=RATE_HZ,
        duration_s=seconds,
        bytes=size,
        dropped_ms=0,
        warning="",
        pid=0,
        tracks=[TrackInfo("mix.wav", "mix", 0, 0, seconds * RATE_HZ)],
        people={},
        chapters=[],
    )
    files.write(folder, files.ORDER, order)
    files.write(folder, files.MANIFEST, manifest)
    return recording_id


async def fetch(server: Server, path: str, key: str) -> Download:
    """Download something to the end, and look at the server's memory all along."""
    before = await _at_rest(server)
    seen = [before]
    async with _watched(server, seen), aiohttp.ClientSession(server.base_url) as http:
        began = time.monotonic()
        received = 0
        wait = aiohttp.ClientTimeout(total=None)
        headers = {"Authorization": f"Bearer {key}"}
        async with http.get(path, headers=headers, timeout=wait) as response:
            response.raise_for_status()
            async for part in response.content.iter_chunked(_PART_BYTES):
                received += len(part)
        seconds = time.monotonic() - began
    after = server.usage(with_memory=True).pss_kb
    return Download(received, seconds, before, max(seen), after)


async def _at_rest(server: Server) -> int:
    """Return what the server's processes hold, in KB, once that has stood still for a while."""
    seen: list[int] = []
    async with asyncio.timeout(_REST_TIMEOUT_S):
        while len(seen) < _REST_LOOKS or max(seen) - min(seen) > _REST_KB:
            await asyncio.sleep(1)
            seen = [*seen, server.usage(with_memory=True).pss_kb][-_REST_LOOKS:]
    return seen[-1]


async def _begin(server: Server, path: str, key: str) -> None:
    """Read a little of a download."""
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        aiohttp.ClientSession(server.base_url) as http,
        http.get(path, headers=headers) as response,
    ):
        response.raise_for_status()
        await response.content.readexactly(100)


@asynccontextmanager
async def _watched(server: Server, seen: list[int]) -> AsyncIterator[None]:
    async def look() -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            seen.append((await asyncio.to_thread(server.usage, with_memory=True)).pss_kb)

    watching = asyncio.create_task(look(), name="memory")
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def main() -> None:
    """Measure and tell the result; --seconds is the length of the sound."""
    options = parse_options("memory of long downloads", 3600, 300)
    length = round(options.seconds)
    with TemporaryDirectory() as folder:
        async with (
            RedisServer() as store,
            our_server({"REDIS_URL": store.url, "WEBRTC_RECORDINGS_DIR": folder}) as server,
        ):
            async with (
                aiohttp.ClientSession(server.base_url) as http,
                http.post("/api/rooms", json={"room_id": ROOM}) as response,
            ):
                key = (await response.json())["host_key"]
            vault = tokens.fingerprint(key).hex()
            session_id = await store_session(store.url, vault, length)
            recording = (
                f"/api/rooms/{ROOM}/recordings/{store_recording(Path(folder), vault, length)}"
            )
            session = f"/api/session/{session_id}/download"
            paths = {
                "session, WAV of 16 bits": session,
                "the same again": session,
                "recording, WAV of 24 bits": f"{recording}/mix.wav",
                "recording, zip": f"{recording}/recording.zip",
            }
            for path in paths.values():
                await _begin(server, path, key)
            found = {what: await fetch(server, path, key) for what, path in paths.items()}
    rows: list[list[Figure]] = [
        [
            what,
            one.received / 1e6,
            one.seconds,
            one.before_kb / 1024,
            (one.most_kb - one.before_kb) / 1024,
            TARGET_MB,
            (one.after_kb - one.before_kb) / 1024,
        ]
        for what, one in found.items()
    ]
    columns = ["download", "MB", "s", "before, MB", "most more, MB", "target", "after, MB more"]
    print_table(f"Memory of downloads of {length} s", columns, rows)
    told = {
        what: {
            "bytes": one.received,
            "seconds": round(one.seconds, 1),
            "pss_kb": [one.before_kb, one.most_kb, one.after_kb],
        }
        for what, one in found.items()
    }
    print_result("download", {"length_s": length, **told})


if __name__ == "__main__":
    run(main)
