"""A worker without time leaves out what people miss least, and gives it back."""

import numpy as np
import pytest

from mixer.selection_settings import SelectionSettings
from mixer.shedding import Step
from rooms.strip import DEFAULT_STRIP, to_wire
from tests.media import test_worker, test_worker_lanes
from tests.media.test_strips import House, rms_db
from tests.media.test_worker import put
from webrtc.control.messages import PutRoom
from webrtc.media.strips import character_of, shed, strip_settings

worker = test_worker.worker  # the fixtures
speaker = test_worker_lanes.speaker
DEAR = {**to_wire(DEFAULT_STRIP), "reverbMix": 50.0, "compRatio": 4.0, "denoise": "webrtc"}
PLAIN = {**to_wire(DEFAULT_STRIP), "compRatio": 4.0}


@pytest.mark.parametrize("step", Step)
def test_effects_go_first_then_noise_suppression_and_the_rest_of_a_strip_stays(step):
    wire = shed(DEAR, step)
    settings = strip_settings(wire)
    assert settings.compressor == strip_settings(DEAR).compressor
    assert (settings.reverb is None) == (step >= Step.DRY)
    assert (character_of(wire).denoise is None) == (step >= Step.PLAIN)
    assert shed(PLAIN, step) is PLAIN


def test_an_effect_is_left_out_and_comes_back_without_a_click():
    house = House()
    house.room.set_strip("singer", strip_settings(DEAR))
    sound = [house.hear()]
    for step in (Step.DRY, Step.PLAIN, Step.WHOLE):
        house.room.set_strip("singer", strip_settings(shed(DEAR, step)))
        sound.append(house.hear())
        assert rms_db(sound[-1]) > -30
    steps = np.abs(np.diff(np.concatenate(sound)[4800:], axis=0))
    assert steps.max() < 3 * house.voice.steepest()


async def test_the_worker_leaves_out_in_order_and_says_so(speaker, monkeypatch, caplog):
    worker, mixer = speaker.worker, speaker.room.mixer
    wanted = SelectionSettings(max_speakers=6)
    worker.handle(PutRoom(speaker.room.room_id, b"", wanted))
    worker.handle(put("anna", subscribes=False, strip=DEAR))
    heard = []
    monkeypatch.setattr(mixer, "set_strip", lambda name, settings: heard.append(settings))
    now_s = worker._shedder._looked_s

    def seconds(busy, count):
        nonlocal now_s
        for _ in range(count):
            worker._shedder.worked(busy)
            now_s += 1.0
            worker._shed(now_s)
            worker.console.turn(now_s)

    seconds(1.0, 2)
    assert mixer.max_speakers == 6
    assert worker.figures.stats(worker.hall, worker.participants, {}).shedding == Step.CLOSED
    seconds(1.0, 2)
    assert mixer.max_speakers == 3
    worker.handle(PutRoom(speaker.room.room_id, b"", SelectionSettings(max_speakers=8)))
    assert mixer.max_speakers == 4, "what a host sets meanwhile is left out, too"
    assert heard[-1].reverb is not None
    seconds(1.0, 2)
    assert heard[-1].reverb is None
    worker.handle(put("anna", subscribes=False, strip={**DEAR, "delayMix": 30.0}))
    assert heard[-1].delay is None
    seconds(0.1, 10)
    assert mixer.max_speakers == 8
    assert heard[-1].reverb is not None
    assert heard[-1].delay is not None
    assert worker.figures.shedding == Step.WHOLE
    assert [one.levelname for one in caplog.records].count("WARNING") == 6


async def test_many_strips_follow_a_few_at_a_time(worker, monkeypatch):
    worker.handle(PutRoom("r", b""))
    for number in range(20):
        worker.handle(put(f"singer {number}", strip=DEAR))
    worker.handle(put("plain", strip=PLAIN))
    changed = []
    monkeypatch.setattr(worker.console, "_apply", lambda one, _: changed.append(one))
    worker.console.leave_out(Step.DRY)
    counts = []
    for turn in range(4):
        worker.console.turn(float(turn))
        counts.append(len(changed))
    assert counts == [8, 16, 20, 20]
