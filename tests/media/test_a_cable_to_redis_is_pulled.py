"""A replica's way to Redis is cut, in a network that really loses its packets."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from rooms.redis_connection import RedisAddress
from rooms.shared_store import SharedRoomStore
from rooms.shared_times import SharedTimes
from tests.rooms.bus_contract import a_frame, arrivals
from tests.rooms.shared_world import ANNA, BERT, Watcher, served_by, until
from tests.rooms.store_contract import a_room, muted
from tests.support.network_namespace import RedisAcrossCables
from tests.support.patience import PATIENCE_S
from webrtc.media.redis_bus import RedisBus

pytestmark = pytest.mark.slow  # starts processes

TIMES = SharedTimes(beat_s=0.05, lease_s=0.4, keep_s=60.0, start_s=5.0)


@pytest.fixture
async def redis() -> AsyncIterator[RedisAcrossCables]:
    async with RedisAcrossCables(2) as server:
        yield server


async def test_rooms_go_on_and_agree_when_it_is_plugged_in_again(redis: RedisAcrossCables) -> None:
    stores = []
    for number, url in zip((ANNA, BERT), redis.urls, strict=True):
        store = SharedRoomStore(RedisAddress.parse(url), number, times=TIMES)
        store.watcher = Watcher()
        await store.start()
        assert store.is_there
        stores.append(store)
    anna, bert = stores
    await anna.add_room(a_room(), 10)
    await anna.add_participant(served_by(ANNA), 10)
    await until(lambda: bert.members("studio"))
    await bert.add_participant(served_by(BERT, "bob"), 10)
    await until(lambda: len(anna.members("studio")) == 2)

    await redis.pull(0)
    # Not even a change that is on its way holds anybody up for longer than a moment.
    async with asyncio.timeout(PATIENCE_S):
        await anna.update_participant("alice", muted)
    assert not anna.is_there
    await anna.add_participant(served_by(ANNA, "carol"), 10)
    await until(lambda: bert.watcher.lost == {ANNA})
    assert bert.is_there
    await bert.remove_participant("bob")

    await redis.plug(0)
    await until(lambda: anna.is_there)
    for store in stores:
        await until(
            lambda store=store: (
                [one.participant_id for one in store.members("studio")] == ["alice", "carol"]
            )
        )
        assert (await store.participant("alice")).muted
    await until(lambda: not bert.watcher.lost)
    for store in stores:
        await store.close()


async def test_sound_comes_again_and_none_that_is_old(redis: RedisAcrossCables) -> None:
    buses = [RedisBus(RedisAddress.parse(url), one) for one, url in enumerate(redis.urls)]
    for bus in buses:
        await bus.wait()
        bus.share("studio", [0, 1])
    near, far = buses[1], buses[0]
    await redis.pull(0)
    number = 0
    async with asyncio.timeout(PATIENCE_S):
        while far.is_there:
            number += 1
            near.publish(a_frame(1, number=number))
            far.publish(a_frame(0, number=number))
            await asyncio.sleep(0.01)
    assert near.is_there
    await redis.plug(0)
    await until(lambda: far.is_there)
    near.publish(a_frame(1, number=100_000))
    far.publish(a_frame(0, number=100_000))
    for bus in (near, far):
        assert [one.frame.number for one in await arrivals(bus, 1)] == [100_000]
        bus.close()
