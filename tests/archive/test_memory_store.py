import pytest

from archive.memory_store import MemorySessionStore
from tests.archive.store_contract import SessionStoreContract, a_chunk, a_session


class Clock:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


class TestMemorySessionStore(SessionStoreContract):
    @pytest.fixture(autouse=True)
    def clock(self) -> Clock:
        self._clock = Clock()
        return self._clock

    @pytest.fixture
    def store(self, clock: Clock) -> MemorySessionStore:
        return MemorySessionStore(clock=clock)

    async def wait(self, seconds: float) -> None:
        self._clock.now += seconds


async def test_all_sound_together_has_a_bound():
    store = MemorySessionStore(most_bytes=1000)
    for name in ("aa", "bb"):
        await store.put(a_session(name), 60)
    for number in range(50):
        await store.append("aa", a_chunk(1000 * number, bytes(50)), 1000, 60)
        assert store.held_bytes <= 1000
    await store.append("bb", a_chunk(0, bytes(50)), 1000, 60)
    assert store.held_bytes <= 1000
    assert (await store.extent("bb")).chunks == 1
    assert (await store.extent("aa")).end_ms == 50_000


async def test_nothing_is_left_of_what_was_removed_or_has_expired():
    clock = Clock()
    store = MemorySessionStore(clock=clock)
    for name in ("aa", "bb"):
        await store.put(a_session(name), 5)
        await store.append(name, a_chunk(0, bytes(99)), 10, 5)
    await store.remove("aa")
    clock.now += 6
    await store.page("feed", None, 1)
    assert store.held_bytes == 0
