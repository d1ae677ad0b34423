"""The bus between replicas, with a real Redis."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from rooms.redis_connection import RedisAddress
from tests.rooms.bus_contract import AudioBusContract, MakeBus, a_frame, arrivals
from tests.support.patience import PATIENCE_S
from tests.support.redis_server import Cluster, RedisServer
from tests.support.wire import Wire
from webrtc.media.redis_bus import RedisBus


@pytest.fixture
async def server() -> AsyncIterator[RedisServer]:
    async with RedisServer() as server:
        yield server


@pytest.fixture
async def make(server: RedisServer) -> AsyncIterator[MakeBus]:
    made = []

    async def make(number: int) -> RedisBus:
        made.append(RedisBus(RedisAddress.parse(server.url), number))
        async with asyncio.timeout(PATIENCE_S):
            await made[-1].wait()
        return made[-1]

    yield make
    for bus in made:
        bus.close()


@pytest.fixture
async def make_in_cluster() -> AsyncIterator[MakeBus]:
    made = []
    async with Cluster() as cluster:

        async def make(number: int) -> RedisBus:
            made.append(RedisBus(RedisAddress.parse(cluster.url), number))
            async with asyncio.timeout(PATIENCE_S):
                await made[-1].wait()
            return made[-1]

        yield make
        for bus in made:
            bus.close()


async def until(condition) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)


class TestRedisBus(AudioBusContract):
    pass


async def test_rooms_of_one_turn_go_together(make: MakeBus, server: RedisServer) -> None:
    ends = [await make(0), await make(1)]
    rooms = [f"room {number}" for number in range(50)]
    for room_id in rooms:
        ends[0].share(room_id, [1])
        ends[1].share(room_id, [0])
    told = []
    ends[1].on_arrival(lambda: told.append(True))
    for room_id in rooms:
        ends[0].publish(a_frame(room_id=room_id))
    assert [one.frame.room_id for one in await arrivals(ends[1], 50)] == rooms
    assert len(told) <= 2  # the first does not wait for the others


async def test_what_is_sent_and_what_nobody_hears_is_counted(make: MakeBus) -> None:
    ends = [await make(0), await make(1)]
    ends[0].share("studio", [1, 2])
    ends[0].publish(a_frame())
    await until(lambda: ends[0].counters["bus_sent"] == 1)
    await until(lambda: ends[0].counters["bus_unreachable"] == 1)


async def test_garbage_is_counted_and_dropped(make: MakeBus, server: RedisServer) -> None:
    from rooms.redis_connection import connect

    bus = await make(0)
    client = connect(RedisAddress.parse(server.url))
    for garbage in (b"garbage", b"\x91\xc4\x01x"):
        await client.publish("ag06:bus:0", garbage)
    await until(lambda: bus.counters["bus_malformed"] == 2)
    await client.aclose()


async def test_it_goes_on_when_redis_comes_back(make: MakeBus, server: RedisServer) -> None:
    ends = [await make(0), await make(1)]
    for bus in ends:
        bus.share("studio", [0, 1])
    await server.kill()
    await until(lambda: not any(bus.is_there for bus in ends))
    ends[0].publish(a_frame(number=1))
    await until(lambda: ends[0].counters["bus_unreachable"] == 1)
    await server.start()
    await until(lambda: all(bus.is_there for bus in ends))
    ends[0].publish(a_frame(number=2))
    assert [one.frame.number for one in await arrivals(ends[1], 1)] == [2]


async def test_a_redis_that_hangs_holds_up_nobody_and_nothing_old_comes_out_of_it(
    make: MakeBus, server: RedisServer
) -> None:
    ends = [await make(0), await make(1)]
    for bus in ends:
        bus.share("studio", [0, 1])
    server.hang()
    try:
        number = 0
        async with asyncio.timeout(PATIENCE_S):
            while ends[0].is_there or ends[1].is_there:
                number += 1
                ends[0].publish(a_frame(number=number))
                await asyncio.sleep(0.01)
    finally:
        server.go_on()
    await until(lambda: all(bus.is_there for bus in ends))
    ends[0].publish(a_frame(number=100_000))
    assert [one.frame.number for one in await arrivals(ends[1], 1)] == [100_000]


async def test_nothing_old_comes_over_a_way_that_was_cut(
    make: MakeBus, server: RedisServer
) -> None:
    near = await make(0)
    async with Wire(server.port) as wire:
        far = RedisBus(RedisAddress.parse(f"redis://127.0.0.1:{wire.port}"), 1)
        await far.wait()
        for bus in (near, far):
            bus.share("studio", [0, 1])
        wire.cut()
        async with asyncio.timeout(PATIENCE_S):
            number = 0
            while far.is_there:
                number += 1
                near.publish(a_frame(number=number))
                far.publish(a_frame(1, number=number))
                await asyncio.sleep(0.01)
        assert near.is_there
        wire.mend()
        await until(lambda: far.is_there)
        near.publish(a_frame(number=100_000))
        far.publish(a_frame(1, number=100_000))
        for bus in (near, far):
            assert [one.frame.number for one in await arrivals(bus, 1)] == [100_000]
        far.close()


@pytest.mark.slow
async def test_on_a_cluster_everybody_is_reached_on_whatever_node(make_in_cluster: MakeBus) -> None:
    numbers = range(6)
    ends = [await make_in_cluster(number) for number in numbers]
    for bus in ends:
        bus.share("studio", numbers)
    async with asyncio.timeout(PATIENCE_S):  # lines to nodes are made when they are first wanted
        heard = {number: set() for number in numbers}
        while any(len(workers) < len(ends) - 1 for workers in heard.values()):
            for number, bus in zip(numbers, ends, strict=True):
                bus.publish(a_frame(number))
                heard[number] |= {one.frame.worker for one in bus.take()}
            await asyncio.sleep(0.05)
    assert all(number not in workers for number, workers in heard.items())
    assert sum(bus.counters["bus_malformed"] for bus in ends) == 0


async def test_the_time_that_redis_takes_is_told(server: RedisServer) -> None:
    told: list[float] = []
    bus = RedisBus(RedisAddress.parse(server.url), 0, told.append)
    await bus.wait()
    bus.share("studio", [0, 1])
    bus.publish(a_frame())
    await until(lambda: told)
    assert 0 < told[0] < PATIENCE_S
    bus.close()
