import asyncio

from tests.support.front import RunningFront
from tests.support.virtual_time import in_virtual_time
from webrtc.signaling.announcer import Announcer


def test_the_first_is_announced_at_once_and_the_rest_of_the_period_once() -> None:
    async def story() -> None:
        announced: list[tuple[str, float]] = []
        now = asyncio.get_running_loop().time
        announcer = Announcer(lambda key: announced.append((key, round(now(), 3))), period_s=1)
        for _ in range(3):
            announcer.request("a")
        announcer.request("b")
        await asyncio.sleep(0.5)
        announcer.request("a")
        await asyncio.sleep(10)
        announcer.request("a")
        announcer.close()
        await asyncio.sleep(10)
        assert announced == [("a", 0), ("b", 0), ("a", 1), ("a", 10.5)]

    in_virtual_time(story())


def test_what_is_forgotten_is_not_announced() -> None:
    async def story() -> None:
        announced: list[str] = []
        announcer = Announcer(announced.append, period_s=1)
        announcer.request("a")
        announcer.request("a")
        announcer.forget("a")
        await asyncio.sleep(10)
        assert announced == ["a"]

    in_virtual_time(story())


async def test_a_fader_that_is_dragged_ends_where_it_was_left(front: RunningFront) -> None:
    alice, _ = await front.joined()
    bob, _ = await front.joined()
    for step in range(50):
        await alice.ok("audio_stream_metadata", {"fader": -step / 10})
    told = await bob.event("participant_updated", lambda it: it["settings"]["fader"] == -4.9)
    assert told["settings"]["fader"] == -4.9
