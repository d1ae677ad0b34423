"""The broadcaster's process: what players hear while workers come and go, and what it leaves."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.hls import Playlist, level, played
from tests.support.patience import PATIENCE_S
from webrtc.broadcast import broadcaster
from webrtc.broadcast.broadcaster import LIVE
from webrtc.broadcast.segments import PLAYLIST
from webrtc.recording.ring import Kind, RingWriter
from webrtc.supervisor_process import ROOT

pytestmark = pytest.mark.slow  # starts processes, on the clock that they broadcast by

PITCH_HZ = 440


class Broadcast:
    """A running broadcaster, and a worker that hands it a tone."""

    def __init__(self, folder: Path, process: asyncio.subprocess.Process, told: dict) -> None:
        self.folder = folder
        self.process = process
        self.path = told["rings"][0]
        self.begin_s = told["begin_s"]

    async def say(self, seconds: float) -> None:
        """Hand a tone over in real time, as a worker does that has just started."""
        ring = RingWriter(self.path)
        position = round((time.monotonic() - self.begin_s) * 100) * 480
        end = position + round(seconds * 100) * 480
        while position < end:
            turns = PITCH_HZ * (position + np.arange(480)) / 48_000
            assert ring.begin(2)
            for _, slots in ring.claim(2):
                slots["position"] = position
                slots["track"] = 0
                slots["kind"] = [Kind.MIX, Kind.DRY][: len(slots)]
                slots["sound"] = (0.3 * np.sin(2 * np.pi * turns)).astype(np.float32)[:, None]
            ring.commit()
            position += 480
            ahead_s = self.begin_s + position / 48_000 - time.monotonic()
            await asyncio.sleep(max(0.0, ahead_s))

    def playlist(self) -> Playlist | None:
        try:
            return Playlist.parse((self.folder / PLAYLIST).read_text())
        except OSError:
            return None

    async def until(self, condition: Callable[[Playlist], bool]) -> Playlist:
        async with asyncio.timeout(PATIENCE_S):
            while (now := self.playlist()) is None or not condition(now):
                await asyncio.sleep(0.05)
        return now

    async def heard(self) -> np.ndarray:
        return await asyncio.to_thread(played, str(self.folder / PLAYLIST), 0.8)


@pytest.fixture
async def broadcast(tmp_path: Path) -> AsyncIterator[Broadcast]:
    folder = tmp_path / "one"
    folder.mkdir()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "webrtc.broadcast.broadcaster", "--folder", str(folder)),
        *("--workers", "1", "--supervisor", str(os.getpid())),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        yield Broadcast(folder, process, json.loads(await process.stdout.readline()))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_players_hear_the_mix_through_a_workers_restart_and_its_end(
    broadcast: Broadcast,
) -> None:
    await broadcast.say(3.5)
    first = await broadcast.until(lambda now: len(now.segments) >= 3)
    assert level(await broadcast.heard(), PITCH_HZ) > 0.2
    passed = first.first + len(first.segments)
    await broadcast.until(lambda now: now.first + len(now.segments) >= passed + 4)  # nobody sounds
    assert level((await broadcast.heard())[-24_000:], PITCH_HZ) < 0.001
    await broadcast.say(3.5)  # a new worker
    assert level(await broadcast.heard(), PITCH_HZ) > 0.2
    (broadcast.folder / LIVE).unlink()
    await broadcast.until(lambda now: now.has_ended)
    assert broadcast.process.returncode is None, "late players still read the end"


async def test_nothing_is_left_of_it_at_sigterm(broadcast: Broadcast) -> None:
    await broadcast.say(0.2)
    broadcast.process.send_signal(signal.SIGTERM)
    assert await broadcast.process.wait() == 0
    assert not broadcast.folder.exists()


async def test_the_folder_goes_a_while_after_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcaster, "LINGER_S", 0.0)
    (tmp_path / LIVE).write_text("")
    one = broadcaster.Broadcaster(tmp_path, [], time.monotonic() - 5.0)
    one.step(time.monotonic())
    (tmp_path / LIVE).unlink()
    one.run(os.getpid())
    assert Playlist.parse((tmp_path / PLAYLIST).read_text()).has_ended
    assert sum(Playlist.parse((tmp_path / PLAYLIST).read_text()).lengths_s) > 4.4, "silence too"
