"""The timer of slots, on the real clock."""

import asyncio
import os

import pytest

from tests.support.patience import PATIENCE_S
from webrtc.media.ticker import SLOT_S, SlotTimer


@pytest.fixture
async def timer():
    calls = []
    made = SlotTimer(lambda: calls.append(asyncio.get_running_loop().time()))
    made.calls = calls
    yield made
    made.close()


@pytest.mark.parametrize("slot", [0, 1, 7, 12345, 10**7, 10**9])
async def test_the_middle_of_a_slot_is_in_it(timer, slot):
    assert timer.slot_at(timer.time_of(slot) + SLOT_S / 2) == slot


async def called(timer, times=1):
    async with asyncio.timeout(PATIENCE_S):
        while len(timer.calls) < times:
            await asyncio.sleep(0.001)


async def test_it_calls_once_and_never_early(timer):
    timer.set(8)
    assert timer.due_s == timer.time_of(8)
    await called(timer)
    await asyncio.sleep(3 * SLOT_S)
    assert len(timer.calls) == 1
    assert timer.calls[0] >= timer.time_of(8)


async def test_a_slot_that_has_begun_is_due_at_once(timer):
    timer.set(0)
    await called(timer)


async def test_setting_again_replaces_what_was_set(timer):
    timer.set(10**9)
    timer.set(4)
    await called(timer)
    timer.set(timer.slot_at(timer.calls[0]) + 4)
    await called(timer, 2)


async def test_a_cleared_timer_does_not_call(timer):
    timer.set(4)
    timer.clear()
    assert timer.due_s == float("inf")
    await asyncio.sleep(8 * SLOT_S)
    assert timer.calls == []


async def test_closing_frees_the_descriptor():
    before = len(os.listdir("/proc/self/fd"))
    timer = SlotTimer(lambda: None)
    timer.set(4)
    timer.close()
    assert len(os.listdir("/proc/self/fd")) == before
