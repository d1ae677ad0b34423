"""What every room store must do; each store's test module inherits this suite."""

import zlib
from collections.abc import Callable

import msgspec
import pytest

from rooms.door import hidden
from rooms.models import Direction, Participant, Role, Room, RoomSettings, SourceMix
from rooms.store import (
    CapacityError,
    ParticipantExistsError,
    ParticipantMissingError,
    RoomExistsError,
    RoomMissingError,
    RoomStore,
    TenantCapacityError,
)
from rooms.strip import DEFAULT_STRIP, changed


def a_room(room_id: str = "studio", **values: object) -> Room:
    defaults = {"created_at": 1000.0, "host_key_hash": b"hash", "worker": 0}
    return Room(room_id=room_id, **{**defaults, **values})  # type: ignore[arg-type]


def a_full_participant(**values: object) -> Participant:
    """Return one of whom nothing is as it is by default."""
    return a_participant(
        direction=Direction.PUBLISHER,
        role=Role.ENGINEER,
        muted=True,
        deafened=True,
        strip=changed(DEFAULT_STRIP, {"genre": "jazz", "fader": -3}),
        mix={"bob": SourceMix(gain_db=-6, pan=0.5, muted=True)},
        tenant="acme",
        put_out="removed",
        origin=b"\n:\x00" * 10,
        **values,
    )


def a_participant(name: str = "alice", room_id: str = "studio", **values: object) -> Participant:
    defaults = {"csrc": zlib.crc32(name.encode()), "joined_at": 1000.0, "resume_hash": b"hash"}
    return Participant(
        participant_id=name,
        room_id=room_id,
        name=name,
        **{**defaults, **values},  # type: ignore[arg-type]
    )


def for_two(room: Room) -> Room:
    return msgspec.structs.replace(room, settings=RoomSettings(max_speakers=2))


def muted(participant: Participant) -> Participant:
    return msgspec.structs.replace(participant, muted=True)


class RoomStoreContract:
    """Inherit, and give a fixture `store`."""

    async def test_a_new_store_is_empty(self, store: RoomStore) -> None:
        assert await store.rooms() == []
        assert await store.room("studio") is None
        assert await store.participant("alice") is None
        assert await store.participants("studio") == []
        assert await store.count("studio") == 0

    async def test_rooms_are_listed_in_the_order_of_making(self, store: RoomStore) -> None:
        rooms = [a_room(name) for name in ("c", "a", "b")]
        for room in rooms:
            await store.add_room(room, 10)
        assert await store.rooms() == rooms
        assert await store.room("a") == rooms[1]

    async def test_a_room_id_is_taken_once(self, store: RoomStore) -> None:
        await store.add_room(a_room(created_at=1.0), 10)
        with pytest.raises(RoomExistsError):
            await store.add_room(a_room(created_at=2.0), 10)
        assert await store.rooms() == [a_room(created_at=1.0)]

    async def test_there_are_no_more_rooms_than_allowed(self, store: RoomStore) -> None:
        await store.add_room(a_room("a"), 1)
        with pytest.raises(CapacityError):
            await store.add_room(a_room("b"), 1)
        await store.remove_room("a")
        await store.add_room(a_room("b"), 1)

    async def test_participants_are_listed_in_the_order_of_joining(self, store: RoomStore) -> None:
        await store.add_room(a_room(), 10)
        people = [a_participant(name) for name in ("carol", "alice", "bob")]
        for participant in people:
            await store.add_participant(participant, 10)
        await store.update_participant("carol", muted)
        assert [one.participant_id for one in await store.participants("studio")] == [
            "carol",
            "alice",
            "bob",
        ]
        assert await store.count("studio") == 3
        assert await store.participant("bob") == people[2]

    async def test_nobody_joins_a_room_that_is_not_there(self, store: RoomStore) -> None:
        with pytest.raises(RoomMissingError):
            await store.add_participant(a_participant(), 10)
        assert await store.participant("alice") is None

    async def test_nobody_joins_a_room_of_another_tenant(self, store: RoomStore) -> None:
        await store.add_room(a_room(tenant="acme"), 10)
        for tenant in ("default", "other"):
            with pytest.raises(RoomMissingError):
                await store.add_participant(a_participant(tenant=tenant), 10)
        assert await store.participant("alice") is None
        await store.add_participant(a_participant(tenant="acme"), 10)

    async def test_nobody_joins_a_full_room(self, store: RoomStore) -> None:
        await store.add_room(a_room(), 10)
        await store.add_participant(a_participant("alice"), 1)
        with pytest.raises(CapacityError):
            await store.add_participant(a_participant("bob"), 1)
        assert await store.participant("bob") is None
        await store.remove_participant("alice")
        await store.add_participant(a_participant("bob"), 1)

    async def test_a_tenant_has_no_more_rooms_than_allowed(self, store: RoomStore) -> None:
        await store.add_room(a_room("a", tenant="acme"), 10, 2)
        await store.add_room(a_room("b", tenant="acme"), 10, 2)
        with pytest.raises(TenantCapacityError):
            await store.add_room(a_room("c", tenant="acme"), 10, 2)
        assert await store.room("c") is None
        await store.add_room(a_room("c", tenant="other"), 10, 2)
        with pytest.raises(CapacityError) as all_full:
            await store.add_room(a_room("d", tenant="other"), 3, 2)
        assert not isinstance(all_full.value, TenantCapacityError)
        assert await store.remove_empty_room("a")
        await store.add_room(a_room("d", tenant="acme"), 10, 2)
        await store.remove_room("b")
        await store.update_room("d", for_two)
        await store.add_room(a_room("e", tenant="acme"), 10, 2)
        with pytest.raises(TenantCapacityError):
            await store.add_room(a_room("f", tenant="acme"), 10, 2)

    async def test_a_tenant_has_no_more_people_than_allowed(self, store: RoomStore) -> None:
        for name, tenant in (("a", "acme"), ("b", "acme"), ("c", "other")):
            await store.add_room(a_room(name, tenant=tenant), 10)
        await store.add_participant(a_participant("alice", "a", tenant="acme"), 10, 2)
        await store.add_participant(a_participant("bob", "b", tenant="acme"), 10, 2)
        with pytest.raises(TenantCapacityError):
            await store.add_participant(a_participant("carol", "b", tenant="acme"), 10, 2)
        assert await store.participant("carol") is None
        await store.add_participant(a_participant("carol", "c", tenant="other"), 10, 2)
        await store.remove_participant("alice")
        await store.remove_participant("alice")
        await store.update_participant("bob", muted)
        await store.add_participant(a_participant("dora", "b", tenant="acme"), 10, 2)
        with pytest.raises(TenantCapacityError):
            await store.add_participant(a_participant("emil", "a", tenant="acme"), 10, 2)
        await store.remove_room("b")
        for name in ("emil", "fred"):
            await store.add_participant(a_participant(name, "a", tenant="acme"), 10, 2)

    async def test_a_participant_id_is_taken_once_in_all_rooms(self, store: RoomStore) -> None:
        await store.add_room(a_room("a"), 10)
        await store.add_room(a_room("b"), 10)
        await store.add_participant(a_participant("alice", "a", csrc=1), 10)
        with pytest.raises(ParticipantExistsError):
            await store.add_participant(a_participant("alice", "b", csrc=2), 10)
        assert await store.count("b") == 0

    async def test_a_csrc_is_taken_once_in_a_room_and_free_again_afterwards(
        self, store: RoomStore
    ) -> None:
        await store.add_room(a_room("a"), 10)
        await store.add_room(a_room("b"), 10)
        await store.add_participant(a_participant("alice", "a", csrc=7), 10)
        await store.add_participant(a_participant("bob", "b", csrc=7), 10)
        with pytest.raises(ParticipantExistsError):
            await store.add_participant(a_participant("carol", "a", csrc=7), 10)
        await store.remove_participant("alice")
        await store.add_participant(a_participant("carol", "a", csrc=7), 10)

    async def test_an_update_is_seen_by_everyone_who_asks(self, store: RoomStore) -> None:
        await store.add_room(a_room(), 10)
        await store.add_participant(a_participant(), 10)
        updated = await store.update_participant("alice", muted)
        assert updated == muted(a_participant())
        assert await store.participant("alice") == updated
        assert await store.participants("studio") == [updated]

    async def test_an_update_that_raises_changes_nothing(self, store: RoomStore) -> None:
        await store.add_room(a_room(), 10)
        await store.add_participant(a_participant(), 10)

        def refuse(_: Participant) -> Participant:
            raise ValueError

        with pytest.raises(ValueError):  # noqa: PT011 — exactly what was raised comes through
            await store.update_participant("alice", refuse)
        assert await store.participant("alice") == a_participant()

    async def test_nobody_is_updated_who_is_not_there(self, store: RoomStore) -> None:
        with pytest.raises(ParticipantMissingError):
            await store.update_participant("alice", muted)

    async def test_a_changed_room_is_seen_by_everyone_who_asks(self, store: RoomStore) -> None:
        await store.add_room(a_room(), 10)
        await store.add_room(a_room("another"), 10)
        await store.add_participant(a_participant(), 10)
        updated = await store.update_room("studio", for_two)
        assert updated == for_two(a_room())
        assert await store.room("studio") == updated
        assert await store.rooms() == [updated, a_room("another")]
        assert await store.participants("studio") == [a_participant()]

    async def test_a_room_change_that_raises_changes_nothing(self, store: RoomStore) -> None:
        await store.add_room(a_room(), 10)

        def refuse(_: Room) -> Room:
            raise ValueError

        with pytest.raises(ValueError):  # noqa: PT011 — exactly what was raised comes through
            await store.update_room("studio", refuse)
        assert await store.room("studio") == a_room()

    async def test_no_room_is_changed_that_is_not_there(self, store: RoomStore) -> None:
        with pytest.raises(RoomMissingError):
            await store.update_room("studio", for_two)

    async def test_removing_a_participant_gives_it_back_once(self, store: RoomStore) -> None:
        await store.add_room(a_room(), 10)
        await store.add_participant(a_participant(), 10)
        assert await store.remove_participant("alice") == a_participant()
        assert await store.remove_participant("alice") is None
        assert await store.participants("studio") == []
        assert await store.room("studio") == a_room()

    async def test_a_reason_for_removing_changes_nothing_about_it(self, store: RoomStore) -> None:
        await store.add_room(a_room(), 10)
        await store.add_participant(a_participant(), 10)
        assert await store.remove_participant("alice", "banned") == a_participant()
        assert await store.remove_participant("alice", "banned") is None
        assert await store.count("studio") == 0

    async def test_bans_stay_with_the_room_and_go_with_it(self, store: RoomStore) -> None:
        def with_ban(room: Room) -> Room:
            door = room.door.barring("", hidden("192.0.2.1")).barring("eve", b"")
            return msgspec.structs.replace(room, door=door)

        await store.add_room(a_room(), 10)
        await store.update_room("studio", with_ban)
        await store.update_room("studio", for_two)
        room = await store.room("studio")
        assert room is not None
        assert room.settings.max_speakers == 2
        assert [room.door.bars(*who) for who in (("", "192.0.2.1"), ("eve", ""), ("", ""))] == [
            *(True, True, False)
        ]
        await store.remove_room("studio")
        await store.add_room(a_room(), 10)
        assert await store.room("studio") == a_room()

    async def test_removing_a_room_removes_who_is_in_it(self, store: RoomStore) -> None:
        await store.add_room(a_room("a"), 10)
        await store.add_room(a_room("b"), 10)
        await store.add_participant(a_participant("alice", "a"), 10)
        await store.add_participant(a_participant("bob", "b"), 10)
        assert await store.remove_room("a") == [a_participant("alice", "a")]
        assert await store.remove_room("a") == []
        assert await store.participant("alice") is None
        assert await store.participant("bob") == a_participant("bob", "b")
        await store.add_room(a_room("a"), 10)
        assert await store.participants("a") == []

    async def test_only_an_empty_room_is_removed_as_such(self, store: RoomStore) -> None:
        await store.add_room(a_room(), 10)
        await store.add_participant(a_participant(), 10)
        assert await store.remove_empty_room("studio") is False
        assert await store.participants("studio") == [a_participant()]
        await store.remove_participant("alice")
        assert await store.remove_empty_room("studio") is True
        assert await store.remove_empty_room("studio") is False
        assert await store.room("studio") is None

    async def test_everything_about_a_participant_is_kept(
        self, store: RoomStore, full: Callable[[], Participant]
    ) -> None:
        await store.add_room(a_room(tenant=full().tenant), 10)
        await store.add_participant(full(), 10)
        assert await store.participant("alice") == full()
        assert full().direction is Direction.PUBLISHER
