"""Work beside the tick."""

import threading

import pytest

from webrtc.media.beside import ThreadBeside


@pytest.fixture
def beside():
    made = ThreadBeside()
    yield made
    made.close()


def test_work_is_done_in_order_by_another_thread(beside):
    done = []
    for number in range(20):
        assert beside(lambda number=number: done.append((number, threading.current_thread().name)))
    beside.close()
    assert done == [(number, "beside") for number in range(20)]


def test_too_much_waiting_work_is_refused_and_counted(beside):
    free = threading.Event()
    begun = threading.Event()
    beside(lambda: (begun.set(), free.wait(30)))
    assert begun.wait(30)
    taken = sum(beside(lambda: None) for _ in range(100))
    free.set()
    assert taken == 64
    assert beside.counters["beside_refused"] == 36


def test_a_defect_is_counted_and_the_next_piece_done(beside, caplog):
    done = []
    beside(lambda: 1 // 0)
    beside(lambda: done.append(True))
    beside.close()
    assert done == [True]
    assert beside.counters["beside_defects"] == 1
    assert "ZeroDivisionError" in caplog.text


def test_without_work_there_is_no_thread():
    before = set(threading.enumerate())
    beside = ThreadBeside()
    assert set(threading.enumerate()) <= before
    beside.close()
    assert set(threading.enumerate()) <= before
