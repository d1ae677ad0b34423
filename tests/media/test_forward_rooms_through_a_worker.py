"""Stock aiortc clients in forward rooms of a real worker process."""

import asyncio

import pytest

from mixer.selection_settings import SelectionSettings
from tests.media.studio import (
    TONES_HZ,
    Client,
    Front,
    hears_mix,
    hears_on_tracks,
    loopback_only,
    running_worker,
)
from webrtc.control.messages import PutRoom

pytestmark = pytest.mark.slow


def choose(count):
    """Return the rules of a room in which so many are heard."""
    return SelectionSettings(max_speakers=count)


@pytest.fixture(scope="module")
def worker():
    with loopback_only(), running_worker() as process:
        yield process


@pytest.fixture
async def front(worker):
    async with Front(worker) as made:
        yield made


@pytest.fixture
async def studio(front, request):
    """Bring people into a room: `people = await studio(3)`."""
    here = []

    async def bring(count, *, mode="forward", speakers=3, takes_tracks=True):
        room = PutRoom(request.node.name, b"", choose(speakers), mode=mode)
        people = [
            Client(
                front,
                room.room_id,
                f"{room.room_id}-{len(here) + i}",
                100 + len(here) + i,
                TONES_HZ[len(here) + i],
                takes_tracks=takes_tracks,
            )
            for i in range(count)
        ]
        here.extend(people)
        await asyncio.gather(*(person.join(room) for person in people))
        return people

    yield bring
    for person in here:
        await person.leave()


async def test_everybody_hears_each_other_on_a_track_of_their_own(studio, front):
    anna, bert, cleo = await studio(3)
    on_tracks = await hears_on_tracks(anna, bert, cleo)
    await hears_on_tracks(bert, anna, cleo)
    await hears_on_tracks(cleo, anna, bert)
    names = {bert.pitch_hz: bert.name, cleo.pitch_hz: cleo.name}
    told = {mid: name for mid, name in front.assigned[anna.name].items() if name is not None}
    assert told == {mid: names[pitch] for mid, pitch in on_tracks.items()}
    stats = await front.next_stats()
    assert stats.encodes == 0
    assert stats.counters["forward_sent"] > 0
    assert "a=ptime:20" in anna.answer


async def test_who_takes_no_tracks_hears_a_mix_in_the_same_room(studio, front):
    anna, bert = await studio(2)
    [cleo] = await studio(1, takes_tracks=False)
    await hears_mix(cleo, anna, bert)
    await hears_on_tracks(anna, bert, cleo)
    assert cleo.offers == []


async def test_a_room_changes_its_mode_back_and_forth_while_people_talk(studio, front):
    anna, bert = await studio(2, mode="mix")
    await hears_mix(anna, bert)
    front.send(PutRoom(anna.put.room_id, b"", choose(3), mode="forward"))
    await hears_on_tracks(anna, bert)
    front.send(PutRoom(anna.put.room_id, b"", choose(3), mode="mix"))
    await hears_mix(anna, bert)
    assert anna.offers[-1].count("a=inactive") == 3
    front.send(PutRoom(anna.put.room_id, b"", choose(2), mode="forward"))
    await hears_on_tracks(anna, bert)
    assert anna.offers[-1].count("a=sendonly") == 2
    assert anna.offers[-1].count("m=audio") == 4


async def test_fifteen_tracks_and_back_to_one(studio, front):
    anna, bert = await studio(2, speakers=15)
    await hears_on_tracks(anna, bert)
    assert anna.offers[-1].count("m=audio") == 16
    front.send(PutRoom(anna.put.room_id, b"", choose(1), mode="forward"))
    await hears_on_tracks(anna, bert)
    assert anna.offers[-1].count("a=inactive") == 14


async def test_muting_silences_and_deafening_does_too(studio, front):
    anna, bert, cleo = await studio(3)
    await hears_on_tracks(anna, bert, cleo)
    bert.change(muted=True)
    await hears_on_tracks(anna, cleo)
    anna.change(deafened=True)
    await hears_on_tracks(anna)
    anna.change(deafened=False)
    bert.change(muted=False)
    await hears_on_tracks(anna, bert, cleo)


async def test_levels_are_told_without_decoding(studio, front):
    anna, bert = await studio(2)
    await hears_on_tracks(anna, bert)
    level, speaking = front.levels[bert.name]
    assert 10 < level < 25
    assert speaking
