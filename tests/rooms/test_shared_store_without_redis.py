"""What replicas do while Redis is away, and when it is back."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from rooms.door import Ban, hidden
from rooms.models import Role, Room, Waiter
from rooms.redis_connection import RedisAddress, connect
from rooms.shared_store import SharedRoomStore
from rooms.shared_times import SharedTimes
from rooms.store import TenantCapacityError
from tests.rooms import shared_world
from tests.rooms.shared_world import (
    ANNA,
    BERT,
    PATIENT,
    TIMES,
    MakeStore,
    served_by,
    until,
)
from tests.rooms.store_contract import a_room, for_two, muted
from tests.support.patience import PATIENCE_S
from tests.support.redis_server import RedisServer, Sentinel
from tests.support.wire import Wire

server, make = shared_world.server, shared_world.make


@pytest.fixture
async def pair(make: MakeStore) -> list[SharedRoomStore]:
    """Two, a room of both, and one person with each."""
    stores = [await make(ANNA, PATIENT), await make(BERT, PATIENT)]
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
    # Two rooms and three people of one tenant, whoever added them when and where.
    for store in pair:
        with pytest.raises(TenantCapacityError):
            await store.add_room(a_room("third"), 10, 2)
        with pytest.raises(TenantCapacityError):
            await store.add_participant(served_by(ANNA, "erna"), 10, 3)
    await pair[0].add_participant(served_by(ANNA, "erna"), 10, 4)
    await pair[0].add_room(a_room("third"), 10, 3)


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


def keeping_out(*subjects: str) -> Callable[[Room], Room]:
    """Return a change of a room that bans these, and nobody else any more."""

    def change(room: Room) -> Room:
        bans = tuple(Ban(one) for one in subjects)
        return msgspec.structs.replace(room, door=msgspec.structs.replace(room.door, bans=bans))

    return change


def subjects(store: SharedRoomStore) -> set[str]:
    return {ban.subject for ban in store._view.rooms["studio"].room.door.bans}


@pytest.mark.parametrize("forgets", [False, True])
async def test_whom_either_bans_without_redis_both_keep_out(
    pair: list[SharedRoomStore], server: RedisServer, forgets: bool
) -> None:
    anna, bert = pair
    await anna.update_room("studio", keeping_out("old", "lifted"))
    await until(lambda: subjects(bert) == {"old", "lifted"})
    if forgets:
        await server.kill()
    else:
        server.hang()
    await until(lambda: not anna.is_there and not bert.is_there)
    await anna.update_room("studio", keeping_out("old", "lifted", "eve"))
    await bert.update_room("studio", keeping_out("old", "mallory"))
    await bert.update_room("studio", for_two)
    if forgets:
        await server.start()
    else:
        server.go_on()
    await agree(pair)
    await until(lambda: subjects(anna) == subjects(bert) == {"old", "eve", "mallory"})
    for store in pair:
        last = [entry[2].door.bans for entry in store.watcher.told if entry[0] == "room"][-1]
        assert last == (await store.room("studio")).door.bans, "and who watches knows"


@pytest.mark.parametrize("forgets", [False, True])
async def test_who_is_put_out_without_redis_is_so_when_it_is_back(
    pair: list[SharedRoomStore], server: RedisServer, forgets: bool
) -> None:
    anna, bert = pair
    if forgets:
        await server.kill()
    else:
        server.hang()
    await until(lambda: not anna.is_there and not bert.is_there)
    await anna.update_participant("bob", lambda one: one.being_put_out("banned"))
    await bert.update_participant("bob", muted)
    if forgets:
        await server.start()
    else:
        server.go_on()
    # Either Redis has it, or whoever said so is told that it is not so any more.
    await agree(pair)

    def is_known() -> bool:
        (now,) = (one for one in anna.members("studio") if one.participant_id == "bob")
        told = [one[2] for one in anna.watcher.told if one[:2] == ("person", "bob")]
        return bool(now.put_out) or (bool(told) and not told[-1].put_out)

    await until(is_known)


async def test_who_is_put_out_while_their_replica_is_cut_off_stays_so(
    make: MakeStore, server: RedisServer
) -> None:
    anna = await make(ANNA, PATIENT)
    async with Wire(server.port) as wire:
        bert = await make(BERT, PATIENT, wire.port)
        await anna.add_room(a_room(), 10)
        await until(lambda: "studio" in bert._view.rooms)
        for name in ("bob", "carol"):
            await bert.add_participant(served_by(BERT, name), 10)
        await until(lambda: len(anna.members("studio")) == 2)
        wire.cut()
        await bert.update_participant("bob", muted)
        await bert.update_room("studio", for_two)
        assert not bert.is_there
        await anna.update_room("studio", keeping_out("eve"))
        await anna.update_participant("bob", lambda one: one.being_put_out("removed"))
        wire.mend()
        await agree([anna, bert])
        for store in (anna, bert):
            bob = await store.participant("bob")
            assert (bob.muted, bob.present, bob.put_out) == (True, False, "removed")
            room = await store.room("studio")
            assert room.settings.max_speakers == 2
            assert room.door.bars("eve", "")
        told = [one[2].put_out for one in bert.watcher.told if one[:2] == ("person", "bob")]
        assert told == ["removed"]


async def test_who_is_put_out_by_one_cut_off_and_comes_back_elsewhere_is_out(
    make: MakeStore, server: RedisServer
) -> None:
    anna = await make(ANNA, PATIENT)
    async with Wire(server.port) as wire:
        bert = await make(BERT, PATIENT, wire.port)
        await anna.add_room(a_room(), 10)
        await until(lambda: "studio" in bert._view.rooms)
        people = {"bob": "banned", "carol": "left", "dave": "removed"}
        for name in people:
            await bert.add_participant(served_by(BERT, name), 10)
        await until(lambda: len(anna.members("studio")) == 3)
        wire.cut()
        for name, reason in people.items():
            await bert.remove_participant(name, reason)
        assert not bert.is_there
        for name in ("bob", "carol"):  # with a resume token; dave does not come back
            await anna.update_participant(name, lambda one: served_by(ANNA, one.participant_id))
        wire.mend()
        assert await agree([anna, bert]) == ["bob", "carol"]
        for store in (anna, bert):
            put_out = {one.participant_id: one.put_out for one in store.members("studio")}
            assert put_out == {"bob": "banned", "carol": ""}
        assert anna.watcher.reasons == ["removed"]


async def test_who_knocks_at_one_cut_off_brings_back_nothing_else_of_the_room(
    make: MakeStore, server: RedisServer
) -> None:
    anna = await make(ANNA, PATIENT)
    async with Wire(server.port) as wire:
        bert = await make(BERT, PATIENT, wire.port)
        await anna.add_room(a_room(), 10)
        await until(lambda: "studio" in bert._view.rooms)
        wire.cut()

        def with_a_guest(room: Room) -> Room:
            return msgspec.structs.replace(room, guests=(Waiter("1", "Eve", BERT),))

        await bert.update_room("studio", with_a_guest)  # finds out that Redis is away
        assert not bert.is_there
        await anna.update_room("studio", for_two)
        wire.mend()
        await until(lambda: bert.is_there)
        for store in (anna, bert):
            room = await store.room("studio")
            assert room.settings.max_speakers == 2


async def test_who_was_banned_and_given_up_meanwhile_does_not_stay(
    make: MakeStore, server: RedisServer
) -> None:
    anna = await make(ANNA)
    async with Wire(server.port) as wire:
        bert = await make(BERT, TIMES, wire.port)
        await anna.add_room(a_room(), 10)
        await anna.add_participant(served_by(ANNA), 10)
        await until(lambda: "studio" in bert._view.rooms)
        places = {name: hidden("192.0.2.1") for name in ("bob", "carol", "host")}
        for name, origin in places.items():
            role = Role.HOST if name == "host" else Role.SPEAKER
            await bert.add_participant(served_by(BERT, name, origin=origin, role=role), 10)
        await until(lambda: len(anna.members("studio")) == 4)
        wire.cut()

        def with_bans(room: Room) -> Room:
            door = room.door.barring("", places["bob"]).barring("", places["host"])
            return msgspec.structs.replace(room, door=door)

        await anna.update_room("studio", with_bans)
        await until(lambda: len(anna.members("studio")) == 1)
        wire.mend()
        await agree([anna, bert])
        for store in (anna, bert):
            put_out = {one.participant_id: one.put_out for one in store.members("studio")}
            assert put_out == {"alice": "", "bob": "banned", "carol": "", "host": ""}
        told = [one[2].put_out for one in bert.watcher.told if one[:2] == ("person", "bob")]
        assert told == ["banned"]


@pytest.mark.parametrize("forgets", [False, True])
async def test_tenants_who_made_a_room_of_one_id_never_share_it(
    pair: list[SharedRoomStore], server: RedisServer, forgets: bool
) -> None:
    if forgets:
        await server.kill()
    else:
        server.hang()
    await until(lambda: not any(store.is_there for store in pair))
    for store, replica, tenant in zip(pair, (ANNA, BERT), ("acme", "other"), strict=True):
        await store.add_room(a_room("twin", tenant=tenant), 10)
        name = f"of {tenant}"
        await store.add_participant(served_by(replica, name, "twin", tenant=tenant), 10)
    if forgets:
        await server.start()
    else:
        server.go_on()
    await agree(pair)
    await until(lambda: len({store._view.rooms["twin"].room.tenant for store in pair}) == 1)
    tenant = pair[0]._view.rooms["twin"].room.tenant
    await until(lambda: all(len(store.members("twin")) == 1 for store in pair))
    assert {store.members("twin")[0].participant_id for store in pair} == {f"of {tenant}"}
    loser = pair[1] if tenant == "acme" else pair[0]
    gone = "of other" if tenant == "acme" else "of acme"
    assert ("room gone", "twin", [gone]) in loser.watcher.told


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
    bert = await make(BERT, PATIENT)
    async with Wire(server.port) as wire:
        anna = await make(ANNA, PATIENT, wire.port)
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


@pytest.mark.slow
async def test_when_another_server_becomes_the_master_it_is_found() -> None:
    async with (
        RedisServer() as master,
        RedisServer("--replicaof", "127.0.0.1", str(master.port)) as follower,
        Sentinel(master.port) as sentinel,
    ):
        async with asyncio.timeout(PATIENCE_S):
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
        async with asyncio.timeout(PATIENCE_S):
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
