"""Whoever watches sessions is told of what other replicas and time do to them."""

import pytest

from archive.memory_store import MemorySessionStore
from archive.store import SessionStoreError
from tests.archive.store_contract import a_session
from webrtc.errors import ClientError
from webrtc.sessions.access import SessionGrant
from webrtc.sessions.library import Library
from webrtc.sessions.watchers import Watchers

MINE = SessionGrant("feed", may_delete=True, may_play=True)


class Socket:
    """A connection that notes what it is told."""

    is_gone = False

    def __init__(self):
        self.told = []

    def emit(self, name, event):
        self.told.append((name, event))

    def heard(self):
        told, self.told = self.told, []
        return [(name, event.session_id, getattr(event, "state", "")) for name, event in told]


class World:
    """A store that another replica writes to, and a clock."""

    def __init__(self):
        self.now = 1000.0
        self.store = MemorySessionStore(clock=lambda: self.now)
        self.rights = {"key": MINE}
        library = Library(self.store, None, None, lambda _: False, lambda: self.now)
        self.watchers = Watchers(self.grant, library.page)

    async def grant(self, token):
        if token not in self.rights:
            raise ClientError("unauthorized", "no")
        return self.rights[token]

    async def put(self, session_id, **values):
        values = {"started_at": self.now, "seen_at": self.now, **values}
        await self.store.put(a_session(session_id, **values), 60.0)


@pytest.fixture
def world():
    return World()


async def test_what_another_replica_keeps_is_told_once(world):
    ear = Socket()
    await world.put("a1")
    await world.watchers.watch(ear, "key")
    await world.watchers.look()
    assert ear.heard() == [], "the list has shown it"
    await world.put("b2", started_at=1001.0)
    await world.put("c3", started_at=1002.0)
    await world.put("d4", vault="other")
    await world.watchers.look()
    assert ear.heard() == [
        ("session_updated", "b2", "live"),
        ("session_updated", "c3", "live"),
    ], "the latest comes last, to stand first"
    world.now += 5.0
    await world.put("b2", started_at=1001.0)
    await world.watchers.look()
    assert ear.heard() == [], "that time goes by is no news"
    await world.put("b2", started_at=1001.0, ended_at=world.now)
    await world.watchers.look()
    assert ("session_updated", "b2", "ended") in ear.heard()


async def test_what_is_over_after_its_time_or_deleted_elsewhere_is_taken_away(world):
    ear = Socket()
    await world.put("a1", ended_at=1000.0)
    await world.put("b2", ended_at=1000.0)
    await world.watchers.watch(ear, "key")
    await world.store.remove("a1")
    await world.watchers.look()
    assert ear.heard() == [("session_removed", "a1", "")]
    world.now += 61.0
    await world.watchers.look()
    assert ear.heard() == [("session_removed", "b2", "")]
    await world.watchers.look()
    assert ear.heard() == []


async def test_a_session_whose_keeper_was_killed_ends_by_itself(world):
    ear = Socket()
    await world.put("a1")
    await world.watchers.watch(ear, "key")
    world.now += 30.0
    await world.watchers.look()
    assert ear.heard() == [("session_updated", "a1", "ended")]


async def test_whoever_loses_the_right_is_told_no_more(world):
    ear, other = Socket(), Socket()
    world.rights["mine"] = MINE
    await world.watchers.watch(ear, "key")
    await world.watchers.watch(other, "mine")
    del world.rights["key"]
    await world.put("a1")
    await world.watchers.look()
    assert ear.heard() == []
    assert other.heard() == [("session_updated", "a1", "live")]
    world.rights["mine"] = SessionGrant("else", may_delete=False, may_play=False)
    await world.watchers.look()
    assert not world.watchers.is_watched("feed")


async def test_what_was_passed_by_newer_ones_is_not_called_gone(world):
    ear = Socket()
    for number in range(100):
        await world.put(f"a{number}", started_at=1000.0 + number)
    await world.watchers.watch(ear, "key")
    await world.put("new", started_at=2000.0)
    await world.watchers.look()
    assert [event[:2] for event in ear.heard()] == [("session_updated", "new")]
    await world.store.remove("a50")
    await world.watchers.look()
    assert ("session_removed", "a50", "") in ear.heard()


async def test_a_store_that_is_away_changes_nothing(world, monkeypatch):
    ear = Socket()
    await world.put("a1")
    await world.watchers.watch(ear, "key")

    async def away(*_):
        raise SessionStoreError("away")

    with monkeypatch.context() as patched:
        patched.setattr(world.store, "page", away)
        await world.watchers.look()
        assert ear.heard() == []
        assert world.watchers.is_watched("feed")
        with pytest.raises(ClientError, match="away"):
            await world.watchers.watch(Socket(), "key")
    await world.store.remove("a1")
    await world.watchers.look()
    assert ear.heard() == [("session_removed", "a1", "")]


async def test_who_watches_others_or_leaves_hears_nothing_more(world):
    ear = Socket()
    world.rights["other"] = SessionGrant("cafe", may_delete=False, may_play=False)
    await world.watchers.watch(ear, "key")
    await world.watchers.watch(ear, "other")
    assert not world.watchers.is_watched("feed")
    world.watchers.unwatch(ear)
    assert not world.watchers.is_watched("cafe")
    gone = Socket()
    gone.is_gone = True
    await world.watchers.watch(gone, "key")
    assert not world.watchers.is_watched("feed"), "the socket closed meanwhile"
