"""A browser on a network that loses packets sends them twice, and the server makes use of it."""

import asyncio
from collections.abc import Awaitable, Callable

from mixer.netsim_settings import NetworkConditions
from tests.e2e.conftest import BehindARelay, People, all_hear_each_other
from tests.support.people import CLIENT, TONE_DBFS, Person

_INAUDIBLE_MS = 100.0
_WITHIN_S = 60.0
_SPAN_PACKETS = 500
_LOSS = 0.1


async def test_a_switch_to_redundancy_and_back_is_not_heard(people: People) -> None:
    ada, grace = await people("Ada", "Grace")
    await all_hear_each_other(ada, grace)
    await ada.page.evaluate(f"window.before = {CLIENT}.peerConnection")
    seat = await ada.client("room.participantId")
    plain = await bytes_of_a_packet(ada)
    since = await grace.ear.now_ms()
    await ada.page.evaluate(f"{CLIENT}.setRedundancy('always')")
    await until(lambda: is_redundant(ada))
    assert await bytes_of_a_packet(ada) > 1.6 * plain
    await ada.page.evaluate(f"{CLIENT}.setRedundancy('never')")
    await until(lambda: is_plain(ada))
    assert await bytes_of_a_packet(ada) < 1.2 * plain
    assert await grace.ear.longest_silence_ms(since) < _INAUDIBLE_MS
    await grace.hears_at(ada, TONE_DBFS, TONE_DBFS)
    assert await ada.page.evaluate(f"window.before === {CLIENT}.peerConnection")
    assert await ada.client("room.participantId") == seat


async def test_losses_bring_redundancy_and_are_heard_half_as_much_with_it(
    behind_a_relay: BehindARelay,
) -> None:
    relay, ada, grace = behind_a_relay
    await ada.page.evaluate(f"{CLIENT}.setRedundancy('never')")
    relay.network.conditions = NetworkConditions(loss_percent=100 * _LOSS)
    plain = await concealed(ada)
    assert plain > _LOSS / 2
    assert not await is_redundant(ada)
    await ada.page.evaluate(f"{CLIENT}.setRedundancy('auto')")
    await until(lambda: is_redundant(ada))

    async def is_half() -> bool:  # a machine that is busy conceals, too: not all the time
        return await concealed(ada) < plain / 2

    await until(is_half)
    await grace.hears_at(ada, TONE_DBFS, TONE_DBFS)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(_WITHIN_S):
        while not await holds():
            await asyncio.sleep(0.2)


async def is_redundant(person: Person) -> bool:
    """Whether a person's packets are sent twice, as the client says."""
    redundancy: bool = (await person.client("getAudioStats()"))["redundancy"]
    return redundancy


async def is_plain(person: Person) -> bool:
    """Whether a person's packets are sent once."""
    return not await is_redundant(person)


async def bytes_of_a_packet(person: Person) -> float:
    """Return the mean size of the packets that the server gets from a person from now on."""
    span = await span_at_server(person)
    return span["bytes_received"] / span["packets_received"]


async def concealed(person: Person) -> float:
    """Return how much of a person's sound the server makes up from now on, 0 to 1."""
    span = await span_at_server(person)
    packets = span["packets_received"] + span["packets_lost"]
    return span["concealed_ms"] / 10 / packets  # 10 ms each


async def span_at_server(person: Person) -> dict[str, float]:
    """Return by how much the server's counters of a person grow while some packets come."""
    await asyncio.sleep(1.5)  # what is on its way belongs to the past, and figures are a second old
    before = await counters(person)
    async with asyncio.timeout(_WITHIN_S):
        while True:
            after = await counters(person)
            span = {name: after[name] - before[name] for name in before}
            if span["packets_received"] >= _SPAN_PACKETS:
                return span
            await asyncio.sleep(0.2)


async def counters(person: Person) -> dict[str, float]:
    """Return what the server counts of a person; what it leaves out is zero."""
    figures = (await person.client("getAudioStats()"))["server"]
    names = ("packets_received", "packets_lost", "bytes_received", "concealed_ms")
    return {name: figures.get(name, 0) for name in names}
