"""The room store of several replicas, with a real Redis."""

import asyncio
from collections.abc import AsyncIterator, Callable

import msgspec
import pytest

from rooms.models import Direction, Participant
from rooms.redis_connection import RedisAddress, connect
from rooms.replicas import number_of, worker_number
from rooms.shared_revocations import SharedRevocations
from rooms.shared_store import SharedRoomStore
from rooms.shared_times import SharedTimes
from rooms.store import (
    CapacityError,
    ParticipantExistsError,
    RoomExistsError,
    RoomMissingError,
    TenantCapacityError,
)
from tests.rooms import shared_world
from tests.rooms.shared_world import ANNA, BERT, PATIENT, TIMES, MakeStore, served_by, until
from tests.rooms.store_contract import (
    RoomStoreContract,
    a_full_participant,
    a_participant,
    a_room,
    for_two,
    muted,
)
from tests.rooms.test_revocations import RevocationStoreContract
from tests.support.patience import PATIENCE_S
from tests.support.redis_server import Cluster, RedisServer

server, make = shared_world.server, shared_world.make


class TestSharedRoomStore(RoomStoreContract):
    @pytest.fixture
    async def store(self, make: MakeStore) -> SharedRoomStore:
        return await make()

    @pytest.fixture
    def full(self) -> Callable[[], Participant]:
        return lambda: a_full_participant(home=worker_number(BERT, 3), present=False)


class TestWhileRedisIsAway(TestSharedRoomStore):
    """Whatever holds with Redis holds without."""

    @pytest.fixture
    async def store(self, make: MakeStore, server: RedisServer) -> SharedRoomStore:
        store = await make()
        await server.kill()
        await until(lambda: not store.is_there)
        return store


@pytest.mark.slow
class TestOnACluster(RoomStoreContract):
    @pytest.fixture
    async def store(self) -> AsyncIterator[SharedRoomStore]:
        async with Cluster() as cluster:
            store = SharedRoomStore(RedisAddress.parse(cluster.url), ANNA, times=TIMES)
            await store.start()
            assert store.is_there
            yield store
            await store.close()

    @pytest.fixture
    def full(self) -> Callable[[], Participant]:
        return lambda: a_participant(direction=Direction.PUBLISHER)


# ---- several at once -------------------------------------------------------------------------


async def test_what_one_does_the_other_sees_and_is_told(make: MakeStore) -> None:
    anna, bert = await make(ANNA), await make(BERT)
    await anna.add_room(a_room(), 10)
    await anna.add_participant(served_by(ANNA), 10)
    await anna.update_participant("alice", muted)
    await anna.update_room("studio", for_two)
    await until(lambda: len(bert.watcher.told) == 4)
    assert await bert.room("studio") == for_two(a_room())
    assert await bert.participants("studio") == [muted(served_by(ANNA))]
    await anna.remove_participant("alice", "timeout")
    await anna.remove_room("studio")
    await until(lambda: len(bert.watcher.told) == 6)
    assert bert.watcher.reasons == ["timeout"]
    assert bert.watcher.told == [
        ("room", None, a_room()),
        ("person", None, served_by(ANNA)),
        ("person", "alice", muted(served_by(ANNA))),
        ("room", "studio", for_two(a_room())),
        ("person gone", "alice"),
        ("room gone", "studio", []),
    ]
    assert anna.watcher.told == []
    assert await bert.rooms() == []


async def test_who_comes_later_finds_everything(make: MakeStore) -> None:
    anna = await make(ANNA)
    rooms = [a_room(name) for name in ("c", "a", "b")]
    for room in rooms:
        await anna.add_room(room, 10)
    people = [served_by(ANNA, name, "a", csrc=csrc) for csrc, name in enumerate(("z", "x", "y"))]
    for participant in people:
        await anna.add_participant(participant, 10)
    bert = await make(BERT)
    assert await bert.rooms() == rooms
    assert await bert.participants("a") == people


async def test_of_two_who_race_one_wins(make: MakeStore) -> None:
    anna, bert = await make(ANNA), await make(BERT)

    async def race(*steps):
        results = await asyncio.gather(*steps, return_exceptions=True)
        return sorted(type(one).__name__ for one in results)

    won = "NoneType"
    rooms = a_room(created_at=1.0), a_room(created_at=2.0)
    assert await race(anna.add_room(rooms[0], 1), bert.add_room(rooms[1], 1)) == [
        won,
        RoomExistsError.__name__,
    ]
    assert await race(
        anna.add_participant(served_by(ANNA, "a", csrc=1), 10),
        bert.add_participant(served_by(BERT, "b", csrc=1), 10),
    ) == [won, ParticipantExistsError.__name__]
    assert await race(
        anna.add_participant(served_by(ANNA, "c", csrc=2), 2),
        bert.add_participant(served_by(BERT, "d", csrc=3), 2),
    ) == [CapacityError.__name__, won]
    await anna.add_room(a_room("other", tenant="acme"), 10)
    assert await race(
        anna.add_participant(served_by(ANNA, "e", "other", csrc=1, tenant="acme"), 10, 1),
        bert.add_participant(served_by(BERT, "f", "other", csrc=2, tenant="acme"), 10, 1),
    ) == [won, TenantCapacityError.__name__]
    assert await race(
        anna.add_room(a_room("another", tenant="acme"), 10, 2),
        bert.add_room(a_room("yet-another", tenant="acme"), 10, 2),
    ) == [won, TenantCapacityError.__name__]
    await until(lambda: len(anna.members("studio")) == len(bert.members("studio")) == 2)
    assert anna.members("studio") == bert.members("studio")


async def test_no_change_is_lost_when_all_change_the_same(make: MakeStore) -> None:
    stores = [await make(ANNA), await make(BERT)]
    await stores[0].add_room(a_room(), 10)
    await stores[0].add_participant(served_by(ANNA, name=""), 10)
    await until(lambda: stores[1].members("studio"))

    def longer(one: Participant) -> Participant:
        return msgspec.structs.replace(one, csrc=one.csrc, joined_at=one.joined_at + 1)

    await asyncio.gather(*(store.update_participant("", longer) for store in stores * 20))
    await until(lambda: stores[0].members("studio") == stores[1].members("studio"))
    assert stores[0].members("studio")[0].joined_at == 1040


async def test_a_room_is_not_taken_from_under_who_enters_it(make: MakeStore) -> None:
    anna, bert = await make(ANNA), await make(BERT)
    for attempt in range(20):
        room_id = f"room {attempt}"
        await anna.add_room(a_room(room_id), 100)
        await until(lambda room_id=room_id: room_id in bert._view.rooms)
        person = served_by(BERT, f"one {attempt}", room_id)
        entered, removed = await asyncio.gather(
            bert.add_participant(person, 10),
            anna.remove_empty_room(room_id),
            return_exceptions=True,
        )
        assert isinstance(entered, RoomMissingError) is removed


async def test_who_comes_back_at_another_replica_is_that_ones(make: MakeStore) -> None:
    anna, bert = await make(ANNA), await make(BERT)
    await anna.add_room(a_room(), 10)
    await anna.add_participant(served_by(ANNA), 10)
    await until(lambda: bert.members("studio"))
    moved = served_by(BERT)
    await bert.update_participant("alice", lambda _: moved)
    await until(lambda: anna.watcher.told)
    assert anna.watcher.told == [("person", "alice", moved)]
    assert bert.leases.is_own(moved.home)
    assert not anna.leases.is_own(moved.home)


# ---- replicas that die -----------------------------------------------------------------------


async def test_a_dead_replica_is_noticed_and_its_people_are_forgotten_in_the_end(
    make: MakeStore, server: RedisServer
) -> None:
    anna, bert = await make(ANNA), await make(BERT)
    await anna.add_room(a_room(), 10)
    await anna.add_participant(served_by(ANNA), 10)
    await anna.add_room(a_room("both"), 10)
    await anna.add_participant(served_by(ANNA, "carol", "both"), 10)
    await bert.add_participant(served_by(BERT, "bob", "both"), 10)
    await anna.close()
    await until(lambda: bert.watcher.lost == {ANNA})
    assert bert.leases.is_lost(served_by(ANNA).home)
    assert [one.participant_id for one in bert.members("both")] == ["carol", "bob"]
    await until(lambda: len(bert.members("both")) == 1 and not bert.members("studio"))
    await until(lambda: "studio" not in bert._view.rooms)
    await until(lambda: not bert.watcher.lost)
    client = connect(RedisAddress.parse(server.url))
    async with asyncio.timeout(PATIENCE_S):
        while True:
            keys = {key async for key in client.scan_iter()}
            if b"{ag06}:1:owned:%d" % ANNA not in keys:
                break
    assert await client.hkeys("{ag06}:1:where") == [b"bob"]
    assert await client.hgetall("{ag06}:1:tenants") == {b"both": b"default"}
    assert await client.smembers("{ag06}:1:rooms-of:default") == {b"both"}
    assert await client.smembers("{ag06}:1:people-of:default") == {b"bob"}
    await client.aclose()


async def test_people_of_a_replica_that_stops_can_come_back_elsewhere_for_a_while(
    make: MakeStore, server: RedisServer
) -> None:
    anna, bert = await make(ANNA, PATIENT), await make(BERT, PATIENT)
    await anna.add_room(a_room(), 10)
    await anna.add_participant(served_by(ANNA), 10)
    await until(lambda: bert.members("studio"))
    beats = 0
    lease = bert._log.beat

    async def counted(lease_ms: int, url: str) -> dict[int, str]:
        nonlocal beats
        beats += 1
        return await lease(lease_ms, url)

    bert._log.beat = counted
    await anna.leave()
    await until(lambda: bert.watcher.lost == {ANNA})
    seen = beats
    await until(lambda: beats > seen + 2)  # and so it was judged again
    assert bert.members("studio") == [served_by(ANNA)]
    moved = served_by(BERT)
    await bert.update_participant("alice", lambda _: moved)
    await until(lambda: not bert.watcher.lost)
    # Of one without people nothing stays.
    await bert.remove_room("studio")
    await bert.leave()
    client = connect(RedisAddress.parse(server.url))
    assert b"%d" % BERT not in await client.hgetall("{ag06}:1:replicas")
    await client.aclose()


async def test_what_an_older_version_has_removed_takes_no_tenants_place(
    make: MakeStore, server: RedisServer
) -> None:
    anna = await make(ANNA)
    client = connect(RedisAddress.parse(server.url))
    await client.sadd("{ag06}:1:rooms-of:acme", "gone")
    await client.sadd("{ag06}:1:people-of:acme", "nobody")
    await client.aclose()
    await anna.add_room(a_room(tenant="acme"), 10, 1)
    await anna.add_participant(served_by(ANNA, tenant="acme"), 10, 1)
    with pytest.raises(TenantCapacityError):
        await anna.add_participant(served_by(ANNA, "bob", tenant="acme"), 10, 1)


async def test_a_revoked_token_is_revoked_everywhere_with_redis_and_without(
    make: MakeStore, server: RedisServer
) -> None:
    anna, bert = await make(ANNA), await make(BERT)
    await anna.revocations.add("one", 2000.0, 1000.0)
    await until(lambda: ("revoked", "one") in bert.watcher.told)
    assert await bert.revocations.holds("one")
    await server.kill()
    await until(lambda: not anna.is_there and not bert.is_there)
    await bert.revocations.add("two", 2000.0, 1000.0)
    await server.start()
    await until(lambda: ("revoked", "two") in anna.watcher.told)
    late = await make(number_of("carol"))
    assert await late.revocations.holds("one")
    assert await late.revocations.holds("two")
    await late.revocations.add("three", 4000.0, 3000.0)
    client = connect(RedisAddress.parse(server.url))
    assert await client.hkeys("{ag06}:1:revoked") == [b"three"]
    await client.aclose()


async def test_a_token_that_is_revoked_while_one_comes_back_is_told_of(make: MakeStore) -> None:
    anna, bert = await make(ANNA), await make(BERT)
    load = anna._log.load

    async def load_and_hear():
        loaded = await load()
        await bert.revocations.add("late", 2000.0, 1000.0)
        await until(lambda: anna._backlog)
        return loaded

    anna._log.load = load_and_hear
    anna._log.reconnect()
    await until(lambda: ("revoked", "late") in anna.watcher.told)
    assert await anna.revocations.holds("late")


class TestSharedRevocations(RevocationStoreContract):
    @pytest.fixture
    async def store(self, make: MakeStore) -> SharedRevocations:
        return SharedRevocations((await make())._write, most=2)


async def test_a_room_that_nobody_removes_goes_by_itself(make: MakeStore) -> None:
    quick = SharedTimes(beat_s=0.05, lease_s=0.2, empty_s=0.3, start_s=5.0)
    anna = await make(ANNA, quick)
    await anna.add_room(a_room(), 10)
    await anna.add_room(a_room("full"), 10)
    await anna.add_participant(served_by(ANNA, room_id="full"), 10)
    await until(lambda: "studio" not in anna._view.rooms)
    assert anna.watcher.told == [("room gone", "studio", [])]
    assert "full" in anna._view.rooms


async def test_a_replica_that_comes_back_in_time_keeps_its_people(make: MakeStore) -> None:
    patient = SharedTimes(beat_s=0.05, lease_s=0.3, keep_s=60.0, start_s=5.0)
    anna, bert = await make(ANNA, patient), await make(BERT, patient)
    await anna.add_room(a_room(), 10)
    await anna.add_participant(served_by(ANNA), 10)
    await anna.close()
    await until(lambda: bert.watcher.lost == {ANNA})
    again = await make(ANNA, patient)
    await until(lambda: not bert.watcher.lost)
    assert again.members("studio") == bert.members("studio") == [served_by(ANNA)]


async def test_a_room_is_mixed_by_a_worker_of_ones_own(make: MakeStore) -> None:
    anna = await make(ANNA)
    bert = await make(BERT)
    bert._place = lambda: 5
    await anna.add_room(a_room(worker=3), 10)
    await until(lambda: bert.watcher.told)
    await bert.update_room("studio", for_two)
    await until(lambda: anna.watcher.told)
    assert (await anna.room("studio")).worker == 3
    assert (await bert.room("studio")).worker == 5
