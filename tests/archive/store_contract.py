"""What every session store must do; each store's test module inherits this suite."""

import asyncio

import msgspec
import pytest

from archive.sessions import MAX_CHUNK_BYTES, Chunk, Extent, Session
from archive.store import SessionStore
from tests.support.patience import PATIENCE_S


def a_session(session_id: str = "ab12", **values: object) -> Session:
    defaults = {
        "vault": "feed",
        "room_id": "studio",
        "participant_id": "alice",
        "started_at": 1000.0,
        "seen_at": 1000.0,
    }
    return Session(session_id=session_id, **{**defaults, **values})  # type: ignore[arg-type]


def a_chunk(at_ms: int, packets: bytes = b"\0\1x") -> Chunk:
    return Chunk(at_ms, 1000, packets)


class SessionStoreContract:
    """Inherit, and give a fixture `store`."""

    async def test_a_new_store_is_empty(self, store: SessionStore) -> None:
        assert await store.session("ab12") is None
        assert (await store.page("feed", None, 10)).sessions == []
        assert await store.chunks("ab12", 0, 10) == []
        assert await store.extent("ab12") == Extent()
        assert await store.remove("ab12") is None

    async def test_a_session_comes_back_as_it_was(self, store: SessionStore) -> None:
        session = a_session(name="Zoë", kind="udp", channels=1, tenant="acme", ended_at=1003.5)
        await store.put(session, 60)
        assert await store.session("ab12") == session

    async def test_what_is_known_of_a_session_is_replaced(self, store: SessionStore) -> None:
        await store.put(a_session(), 60)
        await store.append("ab12", a_chunk(0), 5, 60)
        ended = msgspec.structs.replace(a_session(), ended_at=1100.0)
        await store.put(ended, 60)
        assert (await store.page("feed", None, 10)).sessions == [ended]
        assert len(await store.chunks("ab12", 0, 10)) == 1

    async def test_lists_show_the_latest_first_and_nobody_elses(self, store: SessionStore) -> None:
        for number in range(5):
            await store.put(a_session(f"a{number}", started_at=1000.0 + number), 60)
        await store.put(a_session("b0", vault="f00d"), 60)
        shown = (await store.page("feed", None, 10)).sessions
        assert [one.session_id for one in shown] == ["a4", "a3", "a2", "a1", "a0"]

    async def test_a_list_is_read_page_by_page_while_it_changes(self, store: SessionStore) -> None:
        for number in range(7):
            await store.put(a_session(f"a{number}", started_at=1000.0 + number // 2), 60)
        first = await store.page("feed", None, 3)
        await store.put(a_session("a9", started_at=2000.0), 60)
        await store.remove("a2")
        second = await store.page("feed", first.cursor, 3)
        third = await store.page("feed", second.cursor, 3)
        seen = [one.session_id for one in first.sessions + second.sessions]
        assert seen == ["a6", "a5", "a4", "a3", "a1", "a0"]
        assert second.cursor is None or third.sessions == []

    async def test_a_page_that_holds_all_has_no_cursor(self, store: SessionStore) -> None:
        await store.put(a_session(), 60)
        assert (await store.page("feed", None, 1)).cursor is None

    async def test_chunks_come_in_their_order_from_anywhere(self, store: SessionStore) -> None:
        await store.put(a_session(), 60)
        chunks = [a_chunk(1000 * n, bytes([0, 1, n])) for n in range(6)]
        for chunk in chunks:
            assert await store.append("ab12", chunk, 100, 60)
        assert await store.chunks("ab12", 0, 100) == chunks
        assert await store.chunks("ab12", 2000, 2) == chunks[2:4]
        assert await store.chunks("ab12", 2001, 100) == chunks[3:]
        assert await store.extent("ab12") == Extent(0, 6000, 6)

    async def test_the_oldest_chunks_give_way(self, store: SessionStore) -> None:
        await store.put(a_session(), 60)
        for number in range(10):
            await store.append("ab12", a_chunk(1000 * number), 4, 60)
        assert await store.extent("ab12") == Extent(6000, 10_000, 4)

    async def test_a_chunk_that_is_not_later_is_left_out(self, store: SessionStore) -> None:
        await store.put(a_session(), 60)
        assert await store.append("ab12", a_chunk(5000), 10, 60)
        assert not await store.append("ab12", a_chunk(5000, b"\0\1y"), 10, 60)
        assert not await store.append("ab12", a_chunk(4000), 10, 60)
        assert await store.chunks("ab12", 0, 10) == [a_chunk(5000)]

    async def test_a_chunk_without_a_session_is_left_out(self, store: SessionStore) -> None:
        assert not await store.append("ab12", a_chunk(0), 10, 60)
        assert await store.chunks("ab12", 0, 10) == []

    async def test_a_chunk_has_a_bound(self, store: SessionStore) -> None:
        await store.put(a_session(), 60)
        assert await store.append("ab12", a_chunk(0, bytes(MAX_CHUNK_BYTES)), 10, 60)
        with pytest.raises(ValueError, match="bytes"):
            await store.append("ab12", a_chunk(1000, bytes(MAX_CHUNK_BYTES + 1)), 10, 60)

    async def test_whatever_is_removed_is_gone_with_its_sound(self, store: SessionStore) -> None:
        await store.put(a_session(), 60)
        await store.append("ab12", a_chunk(0), 10, 60)
        assert await store.remove("ab12") == a_session()
        assert await store.session("ab12") is None
        assert await store.chunks("ab12", 0, 10) == []
        assert (await store.page("feed", None, 10)).sessions == []
        assert not await store.append("ab12", a_chunk(1000), 10, 60)

    async def test_a_session_is_gone_after_its_time(self, store: SessionStore) -> None:
        await store.put(a_session("aa"), 0.15)
        await store.put(a_session("bb"), 60)
        await store.append("aa", a_chunk(0), 10, 0.15)
        async with asyncio.timeout(PATIENCE_S):
            while await store.session("aa") is not None:
                await self.wait(0.02)
        assert await store.chunks("aa", 0, 10) == []
        page = await store.page("feed", None, 10)
        assert [one.session_id for one in page.sessions] == ["bb"]

    async def test_an_append_gives_it_new_time(self, store: SessionStore) -> None:
        await store.put(a_session(), 0.15)
        await store.append("ab12", a_chunk(0), 10, 60)
        await self.wait(0.2)
        assert await store.session("ab12") is not None

    async def wait(self, seconds: float) -> None:
        """Let time go by for the store."""
        await asyncio.sleep(seconds)
