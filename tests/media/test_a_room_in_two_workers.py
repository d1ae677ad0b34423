"""Stock aiortc clients around two real worker processes that serve one room."""

import asyncio

import pytest

from tests.media.studio import (
    TONES_HZ,
    Client,
    Front,
    hears_mix,
    hears_on_tracks,
    loopback_only,
    pitches_in,
    running_workers,
)
from tests.support.patience import PATIENCE_S
from webrtc.control.messages import PutRoom, SourceMix

pytestmark = pytest.mark.slow

EVERYBODY = set(TONES_HZ)


@pytest.fixture(scope="module")
def workers():
    with loopback_only(), running_workers(2) as processes:
        yield processes


@pytest.fixture
async def fronts(workers):
    async with Front(workers[0]) as first, Front(workers[1]) as second:
        yield [first, second]


@pytest.fixture
async def trio(fronts, request):
    """Two with the first worker, one with the second."""
    room = request.node.name
    people = [
        Client(fronts[number // 2], room, f"{room}-{number}", 100 + number, TONES_HZ[number])
        for number in range(3)
    ]
    shared = PutRoom(room, workers=[0, 1])
    await asyncio.gather(*(person.join(shared) for person in people))
    yield people
    for person in people:
        await person.leave()


async def hears(person, expected, within_s=8.0):
    """Wait until a person hears exactly these pitches, and say what it heard instead."""
    heard = None
    for _ in range(int(within_s / 0.4)):
        heard = pitches_in(await person.listen_for(0.4), TONES_HZ)
        if heard == expected:
            return
    raise AssertionError(f"{person.name} hears {heard}, not {expected}")


async def all_hear(people):
    await asyncio.gather(*(hears(one, EVERYBODY - {one.pitch_hz}) for one in people))


async def test_people_of_two_workers_hear_each_other_and_not_themselves(trio, fronts):
    await all_hear(trio)
    assert {name for name, _ in fronts[0].levels.items()} == {trio[0].name, trio[1].name}
    assert set(fronts[1].levels) == {trio[2].name}
    async with asyncio.timeout(PATIENCE_S):
        while fronts[1].stats is None or not fronts[1].stats.counters["bus_received"]:
            await asyncio.sleep(0.1)
    assert fronts[1].stats.counters["bus_dropped"] == 0


async def test_mutes_and_volumes_act_across_workers(trio):
    anna, bert, carl = trio
    await all_hear(trio)
    bert.change(muted=True)
    await asyncio.gather(hears(anna, {carl.pitch_hz}), hears(carl, {anna.pitch_hz}))
    bert.change(muted=False)
    carl.change(mix={anna.name: SourceMix(muted=True)})
    await hears(carl, {bert.pitch_hz})
    carl.change(mix={})
    await hears(carl, {anna.pitch_hz, bert.pitch_hz})


async def test_a_room_that_ceases_to_span_workers_parts_and_comes_together_again(trio, fronts):
    anna, bert, carl = trio
    await all_hear(trio)
    for front in fronts:
        front.send(PutRoom(anna.put.room_id))
    await asyncio.gather(hears(anna, {bert.pitch_hz}), hears(carl, set()))
    for front in fronts:
        front.send(PutRoom(anna.put.room_id, workers=[0, 1]))
    await all_hear(trio)


async def test_packets_are_forwarded_between_workers_and_who_takes_none_hears_a_mix(
    fronts, request
):
    room = request.node.name
    shared = PutRoom(room, mode="forward", workers=[0, 1])
    anna, bert, carl = people = [
        Client(
            fronts[number // 2],
            room,
            f"{room}-{number}",
            100 + number,
            TONES_HZ[number],
            takes_tracks=number != 1,
        )
        for number in range(3)
    ]
    try:
        await asyncio.gather(*(person.join(shared) for person in (anna, carl)))
        await asyncio.gather(hears_on_tracks(anna, carl), hears_on_tracks(carl, anna))
        before = await fronts[1].next_stats()
        assert (await fronts[1].next_stats()).encodes == before.encodes  # undecoded all the way
        await bert.join(shared)  # at anna's worker; the other one decodes carl for him
        await hears_mix(bert, anna, carl)
        await asyncio.gather(hears_on_tracks(anna, bert, carl), hears_on_tracks(carl, anna, bert))
        told = {one for one in fronts[1].assigned[carl.name].values() if one is not None}
        assert told == {anna.name, bert.name}
        carl.change(muted=True)
        await asyncio.gather(hears_on_tracks(anna, bert), hears_mix(bert, anna))
    finally:
        for person in people:
            await person.leave()
