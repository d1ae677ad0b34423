"""Strips on their way from one set of settings to another."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.strip import DEFAULT_STRIP, changed
from tests.media import test_worker, test_worker_lanes
from tests.media.test_worker import put
from tests.media.test_worker_strips import strip
from webrtc.media.morph import AT_ONCE, STEP_S, Morphs, between

worker = test_worker.worker  # the fixtures
speaker = test_worker_lanes.speaker

LOW = strip(inputTrim=-24.0, highPass=20.0, compRatio=1.0, eq1Freq=20.0, gateThreshold=-60.0)
HIGH = strip(inputTrim=24.0, highPass=400.0, compRatio=20.0, eq1Freq=20000.0, gateThreshold=-20.0)


@given(st.floats(0, 1), st.booleans())
def test_all_that_lies_between_two_strips_is_a_strip(share, up):
    old, new = (LOW, HIGH) if up else (HIGH, LOW)
    way = between(old, new, share)
    changed(DEFAULT_STRIP, way)
    for name, value in way.items():
        low, high = sorted((LOW[name], HIGH[name])) if LOW[name] != HIGH[name] else (value, value)
        assert low <= value <= high


def test_half_way_is_where_one_hears_the_middle():
    way = between(LOW, HIGH, 0.5)
    assert way["inputTrim"] == pytest.approx(0)
    assert way["eq1Freq"] == pytest.approx(632.5, abs=0.1)
    assert way["compRatio"] == pytest.approx(20**0.5)
    assert between(strip(genre="jazz"), strip(autoLevel=True), 0.01)["autoLevel"] is True
    assert between(strip(genre="jazz"), strip(), 0.01)["genre"] == "auto"
    assert between(LOW, HIGH, 1.0) == pytest.approx(HIGH)


def run(morphs, begin_s, end_s, step_s=0.0025):
    steps = []
    for turn in range(round((end_s - begin_s) / step_s) + 1):
        now_s = begin_s + turn * step_s
        steps += [(now_s, name, wire) for name, wire in morphs.due(now_s)]
    return steps


def test_a_strip_gets_to_its_goal_in_time_and_is_then_left_alone():
    morphs = Morphs()
    morphs.start("anna", LOW, HIGH, 10.0, 1.0)
    steps = run(morphs, 10.0, 12.0)
    assert steps[-1][0] == pytest.approx(11.0, abs=STEP_S)
    assert steps[-1][2] == HIGH
    trims = [wire["inputTrim"] for _, _, wire in steps]
    assert trims == sorted(trims)
    assert len(steps) == pytest.approx(1.0 / STEP_S, abs=2)


def test_a_new_goal_is_gone_to_from_where_the_strip_is():
    morphs = Morphs()
    morphs.start("anna", LOW, HIGH, 10.0, 1.0)
    run(morphs, 10.0, 10.5)
    morphs.start("anna", HIGH, LOW, 10.5, 1.0)
    (first, *_, last) = run(morphs, 10.5, 12.0)
    assert first[2]["inputTrim"] == pytest.approx(0, abs=0.5)
    assert last[2] == LOW
    morphs.start("anna", LOW, HIGH, 20.0, 1.0)
    morphs.stop("anna")
    assert run(morphs, 20.0, 21.0) == []


def test_many_take_turns_and_all_arrive():
    morphs = Morphs()
    for number in range(50):
        morphs.start(f"{number}", LOW, HIGH, 10.0, 0.5)
    assert len(morphs.due(10.0)) == AT_ONCE
    steps = run(morphs, 10.0, 11.0)
    assert {name for _, name, wire in steps if wire == HIGH} == set(map(str, range(50)))


async def test_a_strip_fades_in_the_worker_as_the_front_process_says(speaker, monkeypatch):
    worker, room = speaker.worker, speaker.room
    speaker.play(test_worker_lanes.stream()[:50], speaker.by_route)
    row = room.mixer.sources["anna"].row
    now_s = 100.0
    clock = SimpleNamespace(monotonic=lambda: now_s)  # of who takes the orders alone
    monkeypatch.setattr("webrtc.media.residents.time", clock)

    def trim_db_after(turns):
        nonlocal now_s
        for _ in range(turns):
            now_s += 0.01
            worker.console.turn(now_s)
        return worker.hall._strips.settings(row).trim_db

    worker.handle(put("anna", subscribes=False, strip=strip(inputTrim=-24.0), ramp_ms=1000))
    assert worker.participants["anna"].put == put(
        "anna", subscribes=False, strip=strip(inputTrim=-24.0)
    )
    assert trim_db_after(50) == pytest.approx(-12, abs=1.1)
    assert trim_db_after(60) == -24
    worker.handle(put("anna", subscribes=False, strip=strip(inputTrim=6.0)))
    assert trim_db_after(0) == 6
    assert not worker.console._morphs._morphs


async def test_who_connects_again_has_the_goal_at_once(speaker):
    worker = speaker.worker
    worker.handle(put("anna", subscribes=False, strip=strip(inputTrim=-24.0), ramp_ms=10_000))
    worker.handle(put("anna", publishes=False, subscribes=False))
    worker.handle(put("anna", subscribes=False, strip=strip(inputTrim=-24.0)))
    assert not worker.console._morphs._morphs
