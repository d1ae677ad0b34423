"""A playback's course: seeks, loops, ends; the worker is the test."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import numpy as np
import pytest

from tests.support.patience import PATIENCE_S
from webrtc.playback import playback as module
from webrtc.playback.playback import Playback
from webrtc.playback.ring import FeedReader


class Count:
    """A source whose samples tell their number; so long, in seconds."""

    def __init__(self, seconds: float) -> None:
        self.duration_s: float | None = seconds
        self.closed = False

    async def frames(self, start_s: float) -> AsyncGenerator[np.ndarray, None]:
        assert self.duration_s is not None
        first, last = round(start_s * 48_000), round(self.duration_s * 48_000)
        for number in range(first, last, 700):
            count = np.arange(number, min(number + 700, last), dtype=np.float32)
            yield np.repeat(count[:, None], 2, 1)

    async def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_S", 0.001)


class Stage:
    def __init__(self, folder: Path, seconds: float) -> None:
        self.ended = asyncio.Event()
        self.source = Count(seconds)
        self.playback = Playback(self.source, folder / "feed", self.ended.set)
        self.reader = FeedReader(folder / "feed")

    async def hear(self, frames: int) -> np.ndarray:
        """Take so many frames of the course that is to be played."""
        heard = []
        async with asyncio.timeout(PATIENCE_S):
            while len(heard) < frames:
                taken = self.reader.take()
                if taken is None:
                    await asyncio.sleep(0.001)
                elif taken[0] == self.reader.course:
                    heard.append(taken[1].copy())
        return np.concatenate(heard)[:, 0]


async def test_all_of_a_source_is_played_and_then_it_is_over(tmp_path: Path) -> None:
    stage = Stage(tmp_path, 4.005)
    stage.playback.start()
    heard = await stage.hear(401)
    assert np.array_equal(heard[: round(4.005 * 48_000)], np.arange(round(4.005 * 48_000)))
    assert not heard[round(4.005 * 48_000) :].any()
    await asyncio.wait_for(stage.ended.wait(), 5)
    assert stage.playback.state == "ended"
    await stage.playback.close()
    assert stage.source.closed
    assert not (tmp_path / "feed").exists()


async def test_it_goes_on_where_one_seeks_to(tmp_path: Path) -> None:
    stage = Stage(tmp_path, 60)
    stage.playback.start()
    await stage.hear(100)
    assert stage.playback.position_s == pytest.approx(1.0)
    stage.playback.seek(30.0)
    assert stage.playback.position_s == 30.0
    async with asyncio.timeout(PATIENCE_S):
        while stage.reader.course < 3:
            await asyncio.sleep(0.001)
    heard = await stage.hear(10)
    assert heard[0] == 30 * 48_000
    assert (np.diff(heard) == 1).all()
    stage.playback.seek(99.0)
    async with asyncio.timeout(PATIENCE_S):
        while not stage.ended.is_set():
            stage.reader.take()
            await asyncio.sleep(0)
    await stage.playback.close()


async def test_a_loop_has_no_seam(tmp_path: Path) -> None:
    stage = Stage(tmp_path, 0.5)
    stage.playback.loops = True
    stage.playback.start()
    assert np.array_equal(await stage.hear(120), np.tile(np.arange(24_000), 3)[:57_600])
    stage.playback.loops = False
    await stage.hear(30)
    async with asyncio.timeout(PATIENCE_S):
        while not stage.ended.is_set():
            stage.reader.take()
            await asyncio.sleep(0)
    await stage.playback.close()


async def test_a_source_without_sound_ends_even_if_it_loops(tmp_path: Path) -> None:
    stage = Stage(tmp_path, 0.0)
    stage.playback.loops = True
    stage.playback.start()
    await asyncio.sleep(0.05)
    stage.playback.loops = False
    await asyncio.wait_for(stage.ended.wait(), 5)
    await stage.playback.close()
