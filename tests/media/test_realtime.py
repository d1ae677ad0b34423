"""Priority as the system grants it, and the garbage collector in virtual time."""

import gc
import logging
import os
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

from webrtc import garbage
from webrtc.media import realtime
from webrtc.media.realtime import PRIORITY, Collector, ask_for_realtime

ROOT = Path(__file__).resolve().parents[2]
TURN_S = 0.0125
YOUNG, ALL = 0, 2


class Watched:
    """In place of the `gc` module: what was done when."""

    def __init__(self):
        self.now_s = 0.0
        self.done = []
        self.old = 0
        self.young_hz = 0
        self._collected_s = 0.0

    def collect(self, generation=ALL):
        self.done.append((self.now_s, generation))
        self._collected_s = self.now_s

    def get_count(self):
        return round(self.young_hz * max(0.0, self.now_s - self._collected_s)), 0, 0

    def get_objects(self, generation):
        assert generation == ALL
        return range(self.old)

    def freeze(self):
        self.done.append("frozen")

    def disable(self):
        self.done.append("disabled")


@pytest.fixture
def watched(monkeypatch):
    found = Watched()
    monkeypatch.setattr(realtime, "gc", found)
    monkeypatch.setattr(garbage, "gc", found)
    return found


def run(watched, seconds, slack_s):
    """Return when which generation was collected."""
    collector = Collector(watched.now_s)
    watched.done.clear()
    for turn in range(round(seconds / TURN_S) + 1):
        watched.now_s = turn * TURN_S
        collector.run(watched.now_s, slack_s)
    return watched.done


def test_it_takes_over_and_never_looks_at_what_is_there_already(watched):
    Collector(0.0)
    assert watched.done == [(0.0, ALL), "frozen", "disabled"]


def test_what_it_does_to_the_real_collector():
    try:
        Collector(0.0)
        assert not gc.isenabled()
        assert gc.get_freeze_count() > 0
    finally:
        gc.enable()


def olds(done):
    return [time_s for time_s, generation in done if generation == ALL]


def test_young_objects_are_looked_at_once_a_second_in_the_slack(watched):
    done = run(watched, 50.0, 0.007)
    assert done == [(float(second), YOUNG) for second in range(1, 51)]


@pytest.mark.parametrize("slack_s", [0.007, float("inf")])
def test_all_is_looked_at_once_a_minute_in_place_of_the_young(watched, slack_s):
    watched.old = 10_000
    done = run(watched, 200.0, slack_s)
    assert olds(done) == [60.0, 120.0, 180.0]
    assert len(done) == 200


def test_many_old_objects_wait_until_nothing_plays(watched):
    watched.young_hz = 2000
    assert olds(run(watched, 600.0, 0.007)) == []
    watched.now_s = 0.0
    assert olds(run(watched, 200.0, float("inf"))) == [60.0, 120.0, 180.0]


def test_many_old_objects_wait_ten_minutes_at_most(watched):
    watched.young_hz, watched.old = 2000, 100_000
    assert olds(run(watched, 2000.0, 0.007)) == [660.0, 1320.0, 1980.0]


def test_what_was_kept_counts_from_the_last_look_at_all_on(watched):
    watched.old = 100_000
    assert olds(run(watched, 600.0, 0.007)) == [60.0]


def test_many_young_objects_are_looked_at_before_their_second_is_over(watched):
    watched.young_hz = 80_000
    done = run(watched, 10.0, 0.007)
    assert len(done) == 266  # every third turn
    assert {generation for _, generation in done} == {YOUNG}


def test_new_objects_are_counted_though_the_collector_is_off():
    try:
        collector = Collector(0.0)
        kept = [[] for _ in range(Collector.YOUNG_MOST)]
        assert gc.get_count()[0] >= len(kept)
        collector.run(0.001, 0.007)
        assert gc.get_count()[0] < len(kept) / 2
    finally:
        gc.enable()
        gc.unfreeze()


def test_a_cycle_that_has_grown_old_goes_while_people_play():
    class Link:
        pass

    try:
        collector = Collector(0.0)
        link = Link()
        link.itself = link
        seen = weakref.ref(link)
        collector.run(1.0, 0.007)  # it survives, and is old from now on
        del link
        for second in range(2, 60):
            collector.run(float(second), 0.007)
        assert seen() is not None
        collector.run(60.0, 0.007)
        assert seen() is None
    finally:
        gc.enable()
        gc.unfreeze()


def test_nothing_is_collected_where_there_is_no_slack(watched):
    assert run(watched, 200.0, 0.003) == []


def test_priority_is_asked_for_and_a_refusal_is_told(monkeypatch, caplog):
    asked = []
    monkeypatch.setattr(os, "sched_setscheduler", lambda *how: asked.append(how))
    assert ask_for_realtime()
    [(who, policy, parameters)] = asked
    assert (who, policy) == (0, os.SCHED_RR | os.SCHED_RESET_ON_FORK)
    assert parameters.sched_priority == PRIORITY

    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    with caplog.at_level(logging.INFO):
        assert not ask_for_realtime()
    assert "not granted" in caplog.text


def test_what_is_said_of_the_priority_is_what_the_system_says():
    """In a process of its own, and a child of that is an ordinary one."""
    program = (
        "import os\n"
        "from webrtc.media.realtime import ask_for_realtime\n"
        "granted = ask_for_realtime()\n"
        "policy = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK\n"
        "assert (policy == os.SCHED_RR) is granted, (policy, granted)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os._exit(os.sched_getscheduler(0) != os.SCHED_OTHER)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=30)
