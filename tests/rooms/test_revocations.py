"""What every store of revoked tokens must do; the one in memory is held to it here."""

import pytest

from rooms.revocations import MemoryRevocations, RevocationStore
from rooms.store import CapacityError


class RevocationStoreContract:
    """Inherit, and give a fixture `store` that holds two."""

    async def test_it_holds_what_was_revoked_and_nothing_else(self, store: RevocationStore) -> None:
        await store.add("one", until=20.0, now=10.0)
        assert await store.holds("one")
        assert not await store.holds("two")
        assert not await store.holds("")

    async def test_a_full_store_refuses_and_forgets_nothing(self, store: RevocationStore) -> None:
        await store.add("one", until=20.0, now=10.0)
        await store.add("two", until=30.0, now=10.0)
        await store.add("two", until=35.0, now=10.0)
        with pytest.raises(CapacityError):
            await store.add("three", until=30.0, now=19.0)
        assert await store.holds("one")
        await store.add("three", until=30.0, now=20.0)  # `one` has expired by itself
        assert await store.holds("two")
        assert await store.holds("three")

    async def test_what_has_expired_takes_no_place(self, store: RevocationStore) -> None:
        for number in range(10):
            await store.add(str(number), until=10.0, now=10.0)
        await store.add("one", until=20.0, now=10.0)
        assert await store.holds("one")

    async def test_the_later_end_counts(self, store: RevocationStore) -> None:
        await store.add("one", until=30.0, now=10.0)
        await store.add("one", until=20.0, now=10.0)
        await store.add("two", until=40.0, now=25.0)
        assert await store.holds("one")


class TestMemoryRevocations(RevocationStoreContract):
    @pytest.fixture
    def store(self) -> RevocationStore:
        return MemoryRevocations(most=2)

    async def test_what_has_just_expired_is_not_held(self, store: RevocationStore) -> None:
        await store.add("one", until=10.0, now=10.0)
        assert not await store.holds("one")

    async def test_it_holds_ten_thousand_unless_told_otherwise(self) -> None:
        store = MemoryRevocations()
        store._revoked = dict.fromkeys(map(str, range(9_999)), 20.0)
        await store.add("last", until=20.0, now=10.0)
        with pytest.raises(CapacityError):
            await store.add("one more", until=20.0, now=10.0)
