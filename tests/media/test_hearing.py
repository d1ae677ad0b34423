"""What is taken of publishers' sound for the classifier, and how it gets there."""

import asyncio

import numpy as np
import pytest

from mixer.arena import SourceArena
from mixer.source import Source
from tests.support.patience import PATIENCE_S
from webrtc.classifier.wire import (
    PORTION,
    Busy,
    Gone,
    Judged,
    Sound,
    classifier_path,
    classifier_side_decoder,
    frame,
)
from webrtc.media import hearing as module
from webrtc.media.hearing import Hearing

BLOCK = 480
JUDGED = Judged("ada", "rock", 0.9, True, 0.1, [0.02, 0.9, 0.03, 0.03, 0.02], "rock")


class Classifier:
    """Notes what it is told, and says what a test tells it to."""

    def __init__(self, folder):
        self.path = classifier_path(folder)
        self.heard = []
        self.writers = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.news = asyncio.Condition()

    async def serve(self, reader, writer):
        self.writers.append(writer)
        decoder = classifier_side_decoder()
        while data := await reader.read(1 << 16):
            await self.reads.wait()
            self.heard += decoder.feed(data)
            async with self.news:
                self.news.notify_all()
        writer.close()

    async def start(self):
        self.server = await asyncio.start_unix_server(self.serve, str(self.path))

    async def until(self, accept):
        async with asyncio.timeout(PATIENCE_S), self.news:
            await self.news.wait_for(lambda: accept(self.heard))


class Scene:
    def __init__(self, folder):
        self.told = []
        self.hearing = Hearing(folder, self.told.append)
        self.arena = SourceArena()
        self.time = 0

    def source(self, name="ada"):
        return Source(name, 1, self.arena.take(), self.arena, playout=None)

    def play(self, source, blocks, level=0.25):
        for _ in range(blocks):
            source.view[:BLOCK] = level
            self.hearing.take([source], BLOCK, self.time)
            self.time += BLOCK


async def eventually(check):
    async with asyncio.timeout(PATIENCE_S):
        while not check():
            await asyncio.sleep(0.01)


@pytest.fixture
async def scene(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_RETRY_S", 0.01)
    scene = Scene(tmp_path)
    scene.classifier = Classifier(tmp_path)
    running = asyncio.create_task(scene.hearing.run())
    yield scene
    running.cancel()
    for writer in scene.classifier.writers:
        writer.close()


async def test_without_a_classifier_nothing_is_taken(scene):
    scene.play(scene.source(), 50)
    assert not scene.hearing.is_on
    assert scene.hearing.counters["heard_sent"] == 0


async def test_portions_hold_the_mean_of_both_channels_and_say_when(scene):
    await scene.classifier.start()
    await eventually(lambda: scene.hearing.is_on)
    source = scene.source()
    source.view[:, 1] = 0.0
    scene.time = 96_000
    for _ in range(20):
        source.view[:BLOCK] = [0.5, 0.25]
        scene.hearing.take([source], BLOCK, scene.time)
        scene.time += BLOCK
    await scene.classifier.until(lambda heard: len(heard) == 2)
    first, second = scene.classifier.heard
    assert (first.stream, first.begin, second.begin) == ("ada", 96_000, 96_000 + PORTION)
    samples = np.frombuffer(first.samples, "<i2")
    assert len(samples) == PORTION
    assert np.allclose(samples, 0.375 * 32767, atol=1)


async def test_muted_and_remote_people_are_not_heard(scene):
    await scene.classifier.start()
    await eventually(lambda: scene.hearing.is_on)
    muted, remote = scene.source("muted"), scene.source("remote")
    muted.muted, remote.remote = True, True
    scene.play(muted, 30)
    scene.play(remote, 30)
    assert scene.hearing.counters["heard_sent"] == 0


async def test_a_pause_begins_a_new_portion_and_broken_sound_is_silence(scene):
    await scene.classifier.start()
    await eventually(lambda: scene.hearing.is_on)
    source = scene.source()
    scene.play(source, 5)
    scene.time += 48_000
    scene.play(source, 10, level=np.nan)
    scene.play(source, 10, level=1e9)
    await scene.classifier.until(lambda heard: len(heard) == 2)
    silent, loud = (np.frombuffer(each.samples, "<i2") for each in scene.classifier.heard)
    assert scene.classifier.heard[0].begin == 5 * BLOCK + 48_000
    assert not silent.any()
    assert loud.max() == 32767


async def test_opinions_come_back_and_the_end_of_a_stream_is_told(scene):
    await scene.classifier.start()
    await eventually(lambda: scene.hearing.is_on)
    scene.play(scene.source(), 20)
    await scene.classifier.until(lambda heard: len(heard) == 2)
    (writer,) = scene.classifier.writers
    writer.write(frame(JUDGED) + frame(Busy(1, 0, 7, 0, 250)))
    await eventually(lambda: scene.told and scene.hearing.counters["classifier_looks"])
    assert scene.told == [JUDGED]
    assert scene.hearing.counters["classifier_cpu_ms"] == 250
    scene.hearing.forget("ada")
    scene.hearing.forget("stranger")
    await scene.classifier.until(lambda heard: heard[-1] == Gone("ada"))


async def test_a_classifier_that_does_not_read_costs_portions_and_no_time(scene):
    await scene.classifier.start()
    await eventually(lambda: scene.hearing.is_on)
    scene.classifier.reads.clear()
    source = scene.source()
    await asyncio.to_thread(lambda: None)
    for _ in range(40):
        scene.play(source, 100)
        await asyncio.sleep(0)
    counters = scene.hearing.counters
    assert counters["heard_dropped"] > 0
    assert counters["heard_sent"] + counters["heard_dropped"] == 400
    scene.classifier.reads.set()
    await scene.classifier.until(lambda heard: len(heard) == counters["heard_sent"])


@pytest.mark.parametrize("garbage", [b"\xff" * 100, b"\0\0\0\x02\xc1\xc1", b"\x7f" * 8])
async def test_a_classifier_that_talks_nonsense_is_left_and_found_again(scene, garbage):
    await scene.classifier.start()
    await eventually(lambda: scene.hearing.is_on)
    scene.classifier.writers[0].write(garbage)
    await eventually(lambda: len(scene.classifier.writers) == 2)
    await eventually(lambda: scene.hearing.is_on)
    scene.play(scene.source(), 10)
    await scene.classifier.until(lambda heard: any(isinstance(each, Sound) for each in heard))
