"""What of a long-lived process the garbage collector looks at, and when, in virtual time."""

import asyncio
import gc
import weakref

from tests.support.virtual_time import in_virtual_time
from webrtc.garbage import EVERY_S, collect_every_minute, set_aside_what_is_there


class Visitor:
    """One to whom only they themselves refer."""

    def __init__(self):
        self.itself = self


def test_a_visitor_who_was_long_inside_is_forgotten_within_a_minute():
    async def stay() -> None:
        collecting = asyncio.create_task(collect_every_minute())
        visitor = Visitor()
        seen = weakref.ref(visitor)
        await asyncio.sleep(EVERY_S * 1.5)
        assert seen() is not None
        gc.disable()  # what follows is not left to chance
        try:
            del visitor
            await asyncio.sleep(EVERY_S)
            assert seen() is None
        finally:
            gc.enable()
            collecting.cancel()

    in_virtual_time(stay())


def test_what_was_there_at_the_start_is_passed_by():
    visitor = Visitor()
    seen = weakref.ref(visitor)
    set_aside_what_is_there()
    try:
        del visitor
        gc.collect()
        assert seen() is not None
    finally:
        gc.unfreeze()
    gc.collect()
    gc.freeze()  # as the run of the tests had it
    assert seen() is None
