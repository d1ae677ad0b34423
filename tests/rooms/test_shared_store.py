"""The room store of several replicas, with a real Redis."""

import asyncio
from collections.abc import AsyncIterator, Callable

import msgspec
import pytest

from rooms.models import Direction, Participant, Role, Room, SourceMix
from rooms.redis_connection import RedisAddress, connect
from rooms.replicas import number_of, worker_number
from rooms.shared_revocations import SharedRevocations
from rooms.shared_store import SharedRoomStore
from rooms.shared_times import SharedTimes
from rooms.store import CapacityError, ParticipantExistsError, RoomExistsError, RoomMissingError
from rooms.strip import DEFAULT_STRIP, changed
from tests.rooms.store_contract import RoomStoreContract, a_participant, a_room, for_two, muted
from tests.rooms.test_revocations import RevocationStoreContract
from tests.support.redis_server import Cluster, RedisServer, Sentinel
from tests.support.wire import Wire

PATIENCE_S = 10.0
TIMES = SharedTimes(beat_s=0.05, lease_s=0.4, keep_s=0.4, start_s=5.0)
ANNA, BERT = number_of("anna"), number_of("bert")
MakeStore = Callable[..., "asyncio.Future[SharedRoomStore]"]


class Watcher:
    """Notes what it is told, a word for each."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.connected: list[bool] = []
        self.lost: set[int] = set()

    def on_room(self, before: Room | None, after: Room) -> None:
        self.told.append(("room", None if before is None else before.room_id, after))

    def on_room_gone(self, room: Room, people: list[Participant]) -> None:
        self.told.append(("room gone", room.room_id, [one.participant_id for one in people]))

    def on_participant(self, before: Participant | None, after: Participant) -> None:
        self.told.append(("person", None if before is None else before.participant_id, after))

    def on_participant_gone(self, participant: Participant) -> None:
        self.told.append(("person gone", participant.participant_id))

    def on_revoked(self, token_id: str) -> None:
        self.told.append(("revoked", token_id))

    def on_replicas(self, lost: set[int], back: set[int]) -> None:
        self.lost = (self.lost | lost) - back

    def on_connected(self, connected: bool) -> None:
        self.connected.append(connected)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)


def served_by(replica: int, name: str = "alice", room_id: str = "studio", **values) -> Participant:
    return a_participant(name, room_id, home=worker_number(replica, 0), **values)


@pytest.fixture
async def server() -> AsyncIterator[RedisServer]:
    async with RedisServer() as server:
        yield server


@pytest.fixture
async def make(server: RedisServer) -> AsyncIterator[MakeStore]:
    made = []

    async def make(replica: int = ANNA, times: SharedTimes = TIMES) -> SharedRoomStore:
        store = SharedRoomStore(RedisAddress.parse(server.url), replica, times=times)
        store.watcher = Watcher()
        await store.start()
        made.append(store)
        return store

    yield make
    for store in made:
        await store.close()


class TestSharedRoomStore(RoomStoreContract):
    @pytest.fixture
    async def store(self, make: MakeStore) -> SharedRoomStore:
        return await make()

    @pytest.fixture
    def full(self) -> Callable[[], Participant]:
        return lambda: a_participant(
            direction=Direction.PUBLISHER,
            role=Role.ENGINEER,
            muted=True,
            deafened=True,
            strip=changed(DEFAULT_STRIP, {"genre": "jazz", "fader": -3}),
            mix={"bob": SourceMix(gain_db=-6, pan=0.5, muted=True)},
            tenant="acme",
            home=worker_number(BERT, 3),
            present=False,
        )


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
    await anna.remove_participant("alice")
    await anna.remove_room("studio")
    await until(lambda: len(bert.watcher.told) == 6)
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
    assert bert.is_own(moved)
    assert not anna.is_own(moved)


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
    assert bert.is_lost(served_by(ANNA))
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
    await client.aclose()


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


# ---- Redis away ------------------------------------------------------------------------------


@pytest.fixture
async def pair(make: MakeStore) -> list[SharedRoomStore]:
    """Two, a room of both, and one person with each."""
    stores = [await make(ANNA), await make(BERT)]
    await stores[0].add_room(a_room(), 10)
    await until(lambda: "studio" in stores[1]._view.rooms)
    await stores[0].add_participant(served_by(ANNA, "alice"), 10)
    await stores[1].add_participant(served_by(BERT, "bob"), 10)
    await until(lambda: all(len(store.members("studio")) == 2 for store in stores))
    return stores


async def agree(pair: list[SharedRoomStore]) -> list[str]:
    """Wait until both say the same; return who is in the room."""

    def names(store: SharedRoomStore) -> list[str]:
        return sorted(one.participant_id for one in store.members("studio"))

    await until(lambda: all(store.is_there for store in pair))
    await until(lambda: pair[0]._view.rooms.keys() == pair[1]._view.rooms.keys())
    await until(lambda: names(pair[0]) == names(pair[1]))
    await until(
        lambda: (
            {one.participant_id: one for one in pair[0].members("studio")}
            == {one.participant_id: one for one in pair[1].members("studio")}
        )
    )
    return names(pair[0])


async def change_both_while_away(pair: list[SharedRoomStore]) -> None:
    anna, bert = pair
    await until(lambda: not anna.is_there and not bert.is_there)
    assert anna.watcher.connected == [True, False]
    await anna.add_participant(served_by(ANNA, "carol"), 10)
    await anna.update_participant("alice", muted)
    await anna.update_participant("bob", muted)  # an engineer here, somebody there
    await anna.update_room("studio", for_two)
    await bert.add_participant(served_by(BERT, "dave"), 10)
    await bert.add_room(a_room("new"), 10)
    await bert.remove_participant("bob")
    assert sorted(one.participant_id for one in anna.members("studio")) == ["alice", "bob", "carol"]
    assert sorted(one.participant_id for one in bert.members("studio")) == ["alice", "dave"]


async def check_both_after(pair: list[SharedRoomStore]) -> None:
    assert await agree(pair) == ["alice", "carol", "dave"]
    for store in pair:
        assert (await store.participant("alice")).muted
        assert (await store.room("studio")).settings.max_speakers == 2
        assert await store.room("new") is not None
        assert store.watcher.connected == [True, False, True]
    told = [entry for entry in pair[1].watcher.told if entry[:2] == ("person", None)]
    assert [entry[2].participant_id for entry in told if entry[2].home // 128 == ANNA] == [
        "alice",
        "carol",
    ]


async def test_both_go_on_without_redis_and_agree_when_it_is_back(
    pair: list[SharedRoomStore], server: RedisServer
) -> None:
    client = connect(RedisAddress.parse(server.url))
    port = server.port
    await client.aclose()
    server.hang()  # it keeps what it has, and answers nobody
    try:
        await change_both_while_away(pair)
    finally:
        server.go_on()
    assert server.port == port
    await check_both_after(pair)


async def test_both_agree_though_redis_has_lost_everything(
    pair: list[SharedRoomStore], server: RedisServer
) -> None:
    await server.kill()
    await change_both_while_away(pair)
    await server.start()
    await check_both_after(pair)


async def test_one_that_was_cut_off_accepts_what_was_done_without_it(
    pair: list[SharedRoomStore], server: RedisServer
) -> None:
    anna, bert = pair
    anna._log._line.reconnect()
    await until(lambda: not anna.is_there)
    await bert.update_participant("alice", lambda one: served_by(BERT, "alice"))
    await bert.remove_participant("bob")
    assert await agree(pair) == ["alice"]
    assert anna.watcher.told[-2:] == [
        ("person gone", "bob"),
        ("person", "alice", served_by(BERT, "alice")),
    ]


async def test_a_way_to_redis_that_goes_silent_leaves_one_alone_until_it_is_mended(
    make: MakeStore, server: RedisServer
) -> None:
    patient = SharedTimes(beat_s=0.05, lease_s=0.4, keep_s=60.0, start_s=5.0)
    bert = await make(BERT, patient)
    async with Wire(server.port) as wire:
        address = RedisAddress.parse(f"redis://127.0.0.1:{wire.port}")
        anna = SharedRoomStore(address, ANNA, times=patient)
        anna.watcher = Watcher()
        await anna.start()
        await anna.add_room(a_room(), 10)
        await anna.add_participant(served_by(ANNA), 10)
        await until(lambda: bert.members("studio"))
        await bert.add_participant(served_by(BERT, "bob"), 10)
        await until(lambda: len(anna.members("studio")) == 2)

        wire.cut()
        # Not even a change that is on its way holds anybody up for longer than a moment.
        await anna.update_participant("alice", muted)
        assert not anna.is_there
        await anna.add_participant(served_by(ANNA, "carol"), 10)
        await until(lambda: bert.watcher.lost == {ANNA})
        assert bert.is_there
        await bert.remove_participant("bob")

        wire.mend()
        assert await agree([anna, bert]) == ["alice", "carol"]
        assert (await bert.participant("alice")).muted
        await until(lambda: not bert.watcher.lost)
        await anna.close()


@pytest.mark.slow
async def test_when_another_server_becomes_the_master_it_is_found() -> None:
    async with (
        RedisServer() as master,
        RedisServer("--replicaof", "127.0.0.1", str(master.port)) as follower,
        Sentinel(master.port) as sentinel,
    ):
        async with asyncio.timeout(30):
            while "num-other-sentinels" not in (said := await sentinel.ask("SENTINEL MASTERS")):
                await asyncio.sleep(0.1)
            while f"{follower.port}" not in await sentinel.ask("SENTINEL REPLICAS main"):
                await asyncio.sleep(0.1)
        assert str(master.port) in said
        stores = [
            SharedRoomStore(RedisAddress.parse(sentinel.url), number, times=TIMES)
            for number in (ANNA, BERT)
        ]
        for store in stores:
            await store.start()
        await stores[0].add_room(a_room(), 10)
        await stores[0].add_participant(served_by(ANNA), 10)
        await until(lambda: stores[1].members("studio"))
        await master.kill()
        await until(lambda: not any(store.is_there for store in stores))
        await stores[0].update_participant("alice", muted)
        async with asyncio.timeout(30):
            while not all(store.is_there for store in stores):
                await asyncio.sleep(0.05)
        await until(lambda: stores[1].members("studio") == [muted(served_by(ANNA))])
        assert "role:master" in await follower.ask("INFO replication")
        for store in stores:
            await store.close()


async def test_a_start_without_redis_is_a_start_alone(server: RedisServer) -> None:
    await server.kill()
    quick = SharedTimes(beat_s=0.05, lease_s=0.3, keep_s=0.3, start_s=0.1)
    store = SharedRoomStore(RedisAddress.parse(server.url), ANNA, times=quick)
    await store.start()
    await store.add_room(a_room(), 10)
    await server.start()
    await until(lambda: store.is_there)
    assert await store.rooms() == [a_room()]
    await store.close()


async def test_who_may_not_speak_with_redis_is_alone_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with RedisServer("--requirepass", "other") as server:
        quick = SharedTimes(start_s=1.0)
        url = f"redis://:geheim@127.0.0.1:{server.port}"
        store = SharedRoomStore(RedisAddress.parse(url), ANNA, times=quick)
        await store.start()
        await store.add_room(a_room(), 10)
        assert not store.is_there
        assert await store.rooms() == [a_room()]
        await store.close()
    refusals = [one for one in caplog.records if "WRONGPASS" in one.getMessage()]
    assert len(refusals) == 1
    assert "geheim" not in caplog.text


async def test_rooms_of_another_version_are_left_alone(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = connect(RedisAddress.parse(server.url))
    await client.set("{ag06}:schema", "99")
    quick = SharedTimes(beat_s=0.05, lease_s=0.3, keep_s=0.3, start_s=0.3)
    store = SharedRoomStore(RedisAddress.parse(server.url), ANNA, times=quick)
    await store.start()
    assert not store.is_there
    assert "version 99" in caplog.text
    await store.close()
    await client.aclose()


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
