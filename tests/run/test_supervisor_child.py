"""The life of one child, in virtual time."""

import signal

from hypothesis import given
from hypothesis import strategies as st

from webrtc.supervisor_child import (
    CALM_S,
    GRACE_S,
    RESTART_PAUSES_S,
    Action,
    Child,
    GiveUp,
    Signal,
    Start,
    State,
)

TERM, KILL = Signal(signal.SIGTERM), Signal(signal.SIGKILL)


def started(now: float = 0.0, *, confirmed: bool = True) -> Child:
    child = Child(now)
    if confirmed:
        child.confirm()
    child.handle_timeout(now)
    assert child.poll_actions() == [Start()]
    return child


def test_whoever_is_given_more_time_to_end_is_not_killed_before_that() -> None:
    child = started()
    child.handle_stop(10.0, 30.0)
    assert child.poll_actions() == [TERM]
    child.handle_timeout(39.9)
    assert child.poll_actions() == []
    child.handle_timeout(40.0)
    assert child.poll_actions() == [KILL]


def test_it_is_started_at_once() -> None:
    child = Child(5.0)
    assert child.poll_timeout() == 5.0
    child.handle_timeout(4.9)
    assert child.poll_actions() == []
    child.handle_timeout(5.0)
    assert child.poll_actions() == [Start()]
    assert child.poll_timeout() is None


def test_the_first_death_is_followed_by_a_start_without_a_pause() -> None:
    child = started()
    child.handle_exit(-9, 100.0)
    assert child.poll_timeout() == 100.0
    child.handle_timeout(100.0)
    assert child.poll_actions() == [Start()]


def test_pauses_grow_while_it_keeps_dying_and_start_anew_after_a_calm_time() -> None:
    child, now, pauses = started(), 0.0, []
    for _ in range(8):
        child.handle_exit(1, now)
        due = child.poll_timeout()
        assert due is not None
        pauses.append(due - now)
        now = due
        child.handle_timeout(now)
        child.poll_actions()
    last = RESTART_PAUSES_S[-1]
    assert pauses == [*RESTART_PAUSES_S, last, last]
    child.handle_exit(1, now + CALM_S)
    assert child.poll_timeout() == now + CALM_S


def test_a_child_that_never_worked_is_given_up_after_its_third_death() -> None:
    child = started(confirmed=False)
    for _ in range(2):
        child.handle_exit(1, 0.0)
        child.handle_timeout(0.0)
        assert child.poll_actions() == [Start()]
    child.handle_exit(1, 0.0)
    assert child.poll_actions() == [GiveUp(1)]
    assert child.state is State.ENDED


def test_a_child_that_only_the_operator_can_help_is_given_up_at_once() -> None:
    child = started(confirmed=False)
    child.handle_exit(2, 0.0)
    assert child.poll_actions() == [GiveUp(2)]


def test_a_child_that_worked_once_is_never_given_up() -> None:
    child, now = started(), 0.0
    for status in [2, 1, 2, -6, 2, 1, 2]:
        child.handle_exit(status, now)
        now = child.poll_timeout() or 0.0
        child.handle_timeout(now)
        assert child.poll_actions() == [Start()]


def test_stop_asks_first_and_kills_after_the_grace_time() -> None:
    child = started()
    child.handle_stop(10.0)
    assert child.poll_actions() == [TERM]
    child.handle_timeout(10.0 + GRACE_S / 2)
    assert child.poll_actions() == []
    child.handle_timeout(10.0 + GRACE_S)
    assert child.poll_actions() == [KILL]
    assert child.poll_timeout() is None
    child.handle_exit(-9, 14.0)
    assert child.state is State.ENDED


def test_a_second_stop_kills_at_once_and_a_third_does_nothing() -> None:
    child = started()
    for expected in ([TERM], [KILL], []):
        child.handle_stop(10.0)
        assert child.poll_actions() == expected


def test_stop_during_a_pause_ends_it_without_a_start() -> None:
    child = started()
    child.handle_exit(1, 0.0)
    child.handle_stop(0.0)
    child.handle_timeout(1000.0)
    assert child.poll_actions() == []
    assert child.state is State.ENDED


@given(
    st.booleans(),
    st.lists(
        st.tuples(st.sampled_from(["exit", "time", "stop"]), st.sampled_from([0, 1, 2, -9])),
        max_size=40,
    ),
)
def test_whatever_happens_there_is_at_most_one_process_and_none_after_the_end(
    confirmed: bool, events: list[tuple[str, int]]
) -> None:
    child, now, running, stopped = Child(0.0), 0.0, False, False
    if confirmed:
        child.confirm()

    def carry_out(actions: list[Action]) -> None:
        nonlocal running
        for action in actions:
            match action:
                case Start():
                    assert not running
                    assert not stopped
                    running = True
                case Signal():
                    assert running
                case GiveUp():
                    assert not running

    for event, status in events:
        now += 1.0
        match event:
            case "exit" if running:
                running = False
                child.handle_exit(status, now)
            case "time":
                child.handle_timeout(now)
            case "stop":
                stopped = True
                child.handle_stop(now)
        carry_out(child.poll_actions())
        assert running == (child.state in (State.RUNNING, State.ENDING))
    # Once asked to stop, time alone and the exit that it brings lead to the end.
    child.handle_stop(now)
    carry_out(child.poll_actions())
    if running:
        running = False
        child.handle_exit(-15, now)
    assert child.state is State.ENDED
    assert child.poll_timeout() is None


def test_one_that_hangs_is_killed_and_started_again() -> None:
    child = started()
    child.handle_hang()
    assert child.poll_actions() == [KILL]
    child.handle_exit(-9, 100.0)
    child.handle_timeout(100.0)
    assert child.poll_actions() == [Start()]


def test_one_that_is_not_there_cannot_hang() -> None:
    child = started()
    child.handle_exit(-9, 100.0)
    child.handle_hang()
    assert child.poll_actions() == []
