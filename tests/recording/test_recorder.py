"""The recorder's process: what it leaves when it is told to stop, killed, or out of space."""

import asyncio
import errno
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import av
import msgspec
import numpy as np
import pytest

from tests.support.patience import PATIENCE_S
from webrtc.recording import files
from webrtc.recording.encoders import Format, WavWriter
from webrtc.recording.files import Chapter, Manifest, Order
from webrtc.recording.recorder import Recorder
from webrtc.recording.ring import Kind, RingReader, RingWriter
from webrtc.supervisor_process import ROOT

pytestmark = pytest.mark.slow  # starts processes


def an_order(form: Format = "flac", most_bytes: int = 1 << 30, free: int = 0) -> Order:
    return Order(
        recording_id="r1",
        room_id="studio",
        key="00",
        started_at=1.0,
        format=form,
        most_bytes=most_bytes,
        least_free_bytes=free,
    )


class Session:
    def __init__(self, folder: Path, process: asyncio.subprocess.Process, path: str) -> None:
        self.folder = folder
        self.process = process
        self.ring = RingWriter(path)
        self.position = 0

    def say(self, seconds: float) -> None:
        """Hand a mix and one track over."""
        for _ in range(round(seconds * 100)):
            turns = (self.position + np.arange(480)) / 48_000
            sound = (0.3 * np.sin(2 * np.pi * 440 * turns)).astype(np.float32)
            assert self.ring.begin(2)
            for where, slots in self.ring.claim(2):
                slots["position"] = self.position
                slots["track"] = np.array([0, 7])[where]
                slots["kind"] = np.array([Kind.MIX, Kind.DRY])[where]
                slots["sound"] = sound[:, None]
            self.ring.commit()
            self.position += 480

    def manifest(self) -> Manifest | None:
        return files.read(self.folder, files.MANIFEST, Manifest)

    async def until(self, condition: Callable[[Manifest], bool]) -> Manifest:
        async with asyncio.timeout(PATIENCE_S):
            while (manifest := self.manifest()) is None or not condition(manifest):
                await asyncio.sleep(0.02)
        return manifest


@asynccontextmanager
async def session(
    folder: Path, order: Order, supervisor: int | None = None
) -> AsyncIterator[Session]:
    files.write(folder, files.ORDER, order)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "webrtc.recording.recorder", "--folder", str(folder)),
        *("--workers", "1", "--supervisor", str(supervisor or os.getpid())),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        (path,) = json.loads(await process.stdout.readline())
        yield Session(folder, process, path)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def length_s(path: Path) -> float:
    """Return how much of a file can be decoded."""
    with av.open(str(path)) as container:
        return sum(frame.samples for frame in container.decode(audio=0)) / 48_000


@pytest.mark.parametrize("form", ["flac", "wav", "opus"])
async def test_what_was_said_is_there_after_the_stop(tmp_path: Path, form: Format) -> None:
    order = an_order(form)
    async with session(tmp_path, order) as it:
        it.say(1.5)
        marked = msgspec.structs.replace(order, state="stopped", chapters=[Chapter(0.5, "Begin")])
        files.write(tmp_path, files.ORDER, marked)
        manifest = await it.until(lambda one: one.state == "stopped")
        assert await it.process.wait() == 0
        assert manifest.duration_s == 1.5
        assert manifest.chapters == [Chapter(0.5, "Begin")]
        assert [one.samples for one in manifest.tracks] == [72_000, 72_000]
        for track in manifest.tracks:
            assert length_s(tmp_path / track.file) == pytest.approx(1.5, abs=0.03)
        assert not list(tmp_path.glob("*.new"))
        assert not Path(f"/proc/{it.process.pid}").exists()


@pytest.mark.parametrize("form", ["flac", "wav", "opus"])
async def test_a_killed_recorder_loses_less_than_a_second(tmp_path: Path, form: Format) -> None:
    async with session(tmp_path, an_order(form)) as it:
        said_s = 0.0
        while said_s < 3.0:
            it.say(0.1)
            said_s += 0.1
            await asyncio.sleep(0.1)  # never faster, to make up for a halt: it halts us both
        it.process.send_signal(signal.SIGKILL)
        await it.process.wait()
        for name in ("mix", "track-001-dry"):
            assert length_s(tmp_path / f"{name}.{form}") > said_s - 1.0
        manifest = it.manifest()
        assert manifest is not None
        assert manifest.duration_s > said_s - 1.0


async def test_it_ends_before_the_disk_is_full(tmp_path: Path) -> None:
    async with session(tmp_path, an_order("wav", most_bytes=3_000_000)) as it:
        it.say(3.0)
        await it.until(lambda one: "disk is full" in one.warning)
        while it.process.returncode is None:
            it.say(0.2)
            await asyncio.sleep(0.05)
        assert (await it.until(lambda one: one.state == "disk_full")).bytes < 6_000_000
        assert length_s(tmp_path / "mix.wav") > 3.0


@pytest.mark.parametrize(("left", "state"), [(0, "disk_full"), (1 << 40, "failed")])
def test_a_write_that_fails_ends_it_and_keeps_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: int, state: str
) -> None:
    """A neighbour may fill the disk between two looks at it, and a disk may break."""
    ring = RingReader("test")
    free = [1 << 40]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(0, 0, free[0]))
    files.write(tmp_path, files.ORDER, an_order("wav"))
    written = WavWriter.write

    def write(self: WavWriter, block: np.ndarray) -> None:
        if free[0] != 1 << 40 or self._bytes > 2 * 48_000 * 6:
            free[0] = left
            raise OSError(errno.ENOSPC, "no space left on device")
        written(self, block)
        says.say(2.0)

    monkeypatch.setattr(WavWriter, "write", write)
    recorder = Recorder(tmp_path, [ring])
    says = Session(tmp_path, cast(asyncio.subprocess.Process, None), ring.path)
    says.say(2.0)
    assert recorder.run(os.getpid()) == state
    manifest = says.manifest()
    assert manifest is not None
    assert manifest.state == state
    assert length_s(tmp_path / "mix.wav") >= 2.0


async def test_it_ends_with_the_supervisor_and_at_sigterm(tmp_path: Path) -> None:
    supervisor = await asyncio.create_subprocess_exec("sleep", "600")
    async with session(tmp_path, an_order(), supervisor.pid) as it:
        it.say(0.5)
        await it.until(lambda one: one.duration_s == 0.5)
        supervisor.kill()
        await supervisor.wait()
        assert (await it.until(lambda one: one.state == "stopped")).duration_s == 0.5
    async with session(tmp_path, an_order()) as it:
        it.say(0.5)
        it.process.send_signal(signal.SIGTERM)
        assert await it.process.wait() == 0
