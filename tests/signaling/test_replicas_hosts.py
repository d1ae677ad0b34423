"""What hosts do to somebody whom another replica serves is what they do to their own people."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rooms.models import Participant
from rooms.redis_connection import RedisAddress, connect
from tests.support.front import RunningFront, running_front
from tests.support.passes import OPERATOR, SECRET, token
from tests.support.redis_server import RedisServer
from tests.support.replicas import MakeReplica, store_of, until
from webrtc.control.messages import Answer
from webrtc.signaling import entrance

BANNED = {"reason": "banned"}


async def die(front: RunningFront) -> None:
    """Let it be dead for the others: it says nothing any more."""
    assert front.front.desk.shared is not None
    await front.front.desk.shared.close()


async def knows(front: RunningFront, people: int, room_id: str = "studio") -> None:
    """Wait until a replica knows so many people of a room."""
    await until(lambda: len(front.front.desk.shared.members(room_id)) == people)


def bans_of(front: RunningFront, room_id: str = "studio") -> int:
    room = front.front.desk.shared._view.rooms.get(room_id)
    return -1 if room is None else len(room.room.door.bans)


ACTIONS: dict[str, tuple[str, dict[str, Any], str]] = {
    "mute": ("mute_participant", {}, "participant_updated"),
    "role": ("set_role", {"role": "listener"}, "participant_updated"),
    "speaker": ("set_speaker", {"pinned": True}, "participant_updated"),
    "lock": ("set_door", {"locked": True}, "door_changed"),
    "remove": ("remove_participant", {}, "room_closed"),
    "ban": ("remove_participant", {"ban": True}, "room_closed"),
}


@pytest.mark.parametrize("name", ACTIONS)
async def test_who_is_elsewhere_is_told_what_who_is_here_is(
    both: list[RunningFront], name: str
) -> None:
    event, payload, last = ACTIONS[name]
    seen, heard = [], []
    for room_id, front in (("near", both[0]), ("far", both[1])):
        host, _ = await both[0].joined(room_id)
        eve, ack = await front.joined(room_id, name="Eve")
        await host.event("participant_joined")
        hers = ack["participant_id"]
        about = {} if name == "lock" else {"participant_id": hers}
        await host.ok(event, {**about, **payload})
        said = await eve.event(last)
        for one in ("csrc", "joined_at", "participant_id"):
            said.pop(one, None)
        seen.append((said, eve.gone.is_set(), await eve.call("get_stats")))
        if last == "room_closed":
            left = await host.event("participant_left")
            assert left.pop("participant_id") == hers
            again = await eve.call("join_room", room_id)
            heard.append((left, again.get("error"), host.heard("participant_left")))
    assert seen[0] == seen[1]
    if heard:
        assert heard[0] == heard[1]


@pytest.mark.parametrize("ban", [False, True])
async def test_others_are_told_once_wherever_they_are(replica: MakeReplica, ban: bool) -> None:
    fronts = [await replica(name) for name in ("anna", "bert", "carl")]
    host, _ = await fronts[0].joined("studio")
    eve, ack = await fronts[1].joined("studio")
    others = [(await front.joined("studio"))[0] for front in fronts]
    await knows(fronts[0], 5)
    reason = "banned" if ban else "removed"
    await host.ok("remove_participant", {"participant_id": ack["participant_id"], "ban": ban})
    assert await eve.event("room_closed") == {"reason": reason}
    left = {"participant_id": ack["participant_id"], "reason": reason}
    for one in (host, *others):
        assert await one.event("participant_left") == left
    for front in fronts:
        await knows(front, 4)
    for one in (host, *others):
        assert one.heard("participant_left") == []
    await fronts[1].worker.wait_until(lambda it: ack["participant_id"] not in it.participants)


async def test_who_is_banned_by_address_comes_in_nowhere(replica: MakeReplica) -> None:
    fronts = [await replica(name) for name in ("anna", "bert", "carl")]
    host, key = await fronts[0].joined("studio")
    _, ack = await fronts[1].joined("studio")
    resident, stays = await fronts[2].joined("studio")
    await knows(fronts[0], 3)
    await host.ok("remove_participant", {"participant_id": ack["participant_id"], "ban": True})
    for front in fronts:
        await until(lambda front=front: bans_of(front) == 1)
        other = await front.client()
        assert await other.refused("join_room", "studio") == "banned"
        resumed = {"resume_token": ack["resume_token"]}
        assert await other.refused("join_room", resumed) == "resume_failed"
    for method in ("whip", "whep"):
        sdp = {"Content-Type": "application/sdp"}
        async with fronts[2].http.post(f"/{method}/studio", data="v=0\r\n", headers=sdp) as reply:
            assert (reply.status, (await reply.json())["reason"]) == (403, "banned")
    # Who was inside stays, also from there, and may come back to a kept seat.
    await resident.lose_socket()
    back = await fronts[0].client()
    assert (await back.ok("join_room", {"resume_token": stays["resume_token"]}))["resumed"]
    assert stays["participant_id"] != ack["participant_id"]
    # The host who set it goes, with the replica; the ban stays until another host lifts it.
    second = await fronts[1].client()
    await second.ok("join_room", {"room_id": "studio", "host_key": key["host_key"]})
    await die(fronts[0])
    late = await fronts[2].client()
    assert await late.refused("join_room", "studio") == "banned"
    assert (await second.ok("set_door", {"lift_bans": True}))["door"]["bans"] == 0
    await until(lambda: bans_of(fronts[2]) == 0)
    await late.ok("join_room", "studio")


async def test_who_is_banned_by_the_subject_of_a_token_comes_in_nowhere(
    replica: MakeReplica,
) -> None:
    fronts = [await replica(name, auth_secret=SECRET) for name in ("anna", "bert")]
    host, _ = await fronts[0].joined(token=token("host", sub="host"))
    eve, ack = await fronts[1].joined(token=token("publish", sub="eve"))
    await knows(fronts[0], 2, "room")
    await host.ok("remove_participant", {"participant_id": ack["participant_id"], "ban": True})
    assert await eve.event("room_closed") == BANNED
    for front in fronts:
        other = await front.client()
        wanted = {"room_id": "room", "token": token("publish", sub="eve", jti="another")}
        assert await other.refused("join_room", wanted) == "banned"
        await other.ok("join_room", {**wanted, "token": token("publish", sub="ada")})
    person = fronts[0].front.desk.shared.members("room")[-1]
    assert person.origin == b"", "who is known by a token is not known by an address"


async def test_who_is_banned_while_their_replica_is_dead_stays_out(replica: MakeReplica) -> None:
    fronts = [await replica(name) for name in ("anna", "bert", "carl")]
    host, _ = await fronts[0].joined("studio")
    _, ack = await fronts[1].joined("studio")
    await knows(fronts[0], 2)
    await die(fronts[1])
    assert (await host.event("participant_left"))["reason"] == "lost"
    await host.ok("remove_participant", {"participant_id": ack["participant_id"], "ban": True})
    await until(lambda: bans_of(fronts[2]) == 1)
    again = {"participant_id": ack["participant_id"]}
    for event in ("remove_participant", "mute_participant"):
        assert await host.refused(event, again) == "participant_not_found"
    for front in (fronts[0], fronts[2]):
        eve = await front.client()
        resumed = {"resume_token": ack["resume_token"]}
        assert await eve.refused("join_room", resumed) == "resume_failed"
        assert await eve.refused("join_room", "studio") == "banned"
    assert host.heard("participant_left") == [], "they knew"


@pytest.mark.parametrize("where", [0, 1])
async def test_who_came_back_from_another_address_is_banned_by_that_one(
    both: list[RunningFront], where: int
) -> None:
    host, _ = await both[0].joined("studio")
    eve, ack = await both[1].joined("studio")
    await knows(both[0], 2)
    before = both[0].front.desk.shared.members("studio")[1].origin
    await eve.lose_socket()
    dispatcher = both[where].front.dispatcher
    connected = dispatcher.connected

    def from_elsewhere(socket: Any, token: str | None = None, address: str = "") -> Any:
        return connected(socket, token, "192.0.2.7")

    dispatcher.connected = from_elsewhere
    eve = await both[where].client()
    dispatcher.connected = connected
    await eve.ok("join_room", {"resume_token": ack["resume_token"]})
    await until(lambda: both[0].front.desk.shared.members("studio")[1].origin != before)
    await host.ok("remove_participant", {"participant_id": ack["participant_id"], "ban": True})
    assert await eve.event("room_closed") == BANNED
    assert await eve.refused("join_room", "studio") == "banned"
    await both[1].joined("studio")


async def test_what_is_kept_of_an_address_is_not_the_address(
    both: list[RunningFront], server: RedisServer
) -> None:
    host, _ = await both[0].joined("studio")
    _, ack = await both[1].joined("studio")
    await knows(both[0], 2)
    client = connect(RedisAddress.parse(server.url))
    people = b"".join((await client.hgetall("{ag06}:1:people:studio")).values())
    await host.ok("remove_participant", {"participant_id": ack["participant_id"], "ban": True})
    room = b"".join((await client.hgetall("{ag06}:1:rooms")).values())
    await client.aclose()
    assert b"origin" in people
    assert b"bans" in room
    for plain in (b"127.0.0.1", bytes([127, 0, 0, 1])):
        assert plain not in people + room


@pytest.mark.parametrize("ban", [False, True])
async def test_who_is_put_out_while_their_front_process_is_away_finds_the_seat_gone(
    replica: MakeReplica, server: RedisServer, tmp_path: Path, ban: bool
) -> None:
    anna = await replica("anna")
    host, _ = await anna.joined("studio")
    folder = tmp_path / "again"
    folder.mkdir()
    async with running_front(folder, store=store_of("bert", server), replica="bert") as bert:
        _, ack = await bert.joined("studio")
        worker = bert.worker
        await knows(anna, 2)
    await worker.start()  # it had only lost its front process
    wanted = {"participant_id": ack["participant_id"], "ban": ban}
    await host.ok("remove_participant", wanted)
    async with running_front(
        folder, [worker], store=store_of("bert", server), replica="bert"
    ) as again:
        await worker.wait_until(lambda it: not it.participants)
        await knows(anna, 1)
        eve = await again.client()
        resumed = {"resume_token": ack["resume_token"]}
        assert await eve.refused("join_room", resumed) == "resume_failed"
        assert (await eve.call("join_room", "studio"))["ok"] is not ban
    await worker.stop()


@pytest.mark.parametrize("ban", [False, True])
async def test_who_is_put_out_in_the_moment_of_coming_does_not_come_in(
    both: list[RunningFront], monkeypatch: pytest.MonkeyPatch, ban: bool
) -> None:
    host, _ = await both[0].joined("studio")
    store = both[1].front.desk.shared
    add = store.add_participant

    async def add_and_be_put_out(participant: Participant, *most: int) -> None:
        await add(participant, *most)
        await host.event("participant_joined")
        wanted = {"participant_id": participant.participant_id, "ban": ban}
        await host.ok("remove_participant", wanted)
        await until(lambda: store._view.person(participant.participant_id).participant.put_out)

    monkeypatch.setattr(store, "add_participant", add_and_be_put_out)
    eve = await both[1].client()
    assert await eve.refused("join_room", "studio") == ("banned" if ban else "denied")
    for front in both:
        await knows(front, 1)
    assert not both[1].worker.participants


async def test_who_is_put_out_in_the_moment_of_coming_back_does_not(
    replica: MakeReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    fronts = [await replica(name) for name in ("anna", "bert", "carl")]
    host, _ = await fronts[0].joined("studio")
    _, ack = await fronts[1].joined("studio")
    await knows(fronts[2], 2)
    store = fronts[2].front.desk.shared
    update = store.update_participant

    async def be_put_out_first(participant_id: str, change: Any) -> Participant:
        await host.ok("remove_participant", {"participant_id": participant_id})
        return await update(participant_id, change)

    await die(fronts[1])  # else it is quicker
    monkeypatch.setattr(store, "update_participant", be_put_out_first)
    eve = await fronts[2].client()
    resumed = {"resume_token": ack["resume_token"]}
    assert await eve.refused("join_room", resumed) == "resume_failed"


async def test_a_mark_that_is_written_over_is_set_again(both: list[RunningFront]) -> None:
    host, _ = await both[0].joined("studio")
    eve, ack = await both[1].joined("studio")
    hers = ack["participant_id"]
    await host.event("participant_joined")
    shared = both[1].front.desk.shared
    watcher, shared.watcher = shared.watcher, None  # their replica hears of nothing
    await host.ok("remove_participant", {"participant_id": hers})
    await until(lambda: shared._view.person(hers).participant.put_out)

    def unmarked(one: Participant) -> Participant:
        return msgspec.structs.replace(one, put_out="", present=True)

    await shared.update_participant(hers, unmarked)
    shared.watcher = watcher
    assert await eve.event("room_closed") == {"reason": "removed"}
    await knows(both[0], 1)
    assert host.heard("participant_joined") == []


async def test_who_is_marked_is_shown_to_nobody(both: list[RunningFront]) -> None:
    host, _ = await both[0].joined("studio")
    _, ack = await both[1].joined("studio")
    await host.event("participant_joined")
    shared = both[1].front.desk.shared
    shared.watcher = None  # their replica hears of nothing
    await host.ok("remove_participant", {"participant_id": ack["participant_id"]})
    hers = ack["participant_id"]
    await until(lambda: shared._view.person(hers).participant.put_out)
    # They come back there in this very moment, and are shown again.
    show = {"present": True, "name": "Eve"}
    await shared.update_participant(hers, lambda one: msgspec.structs.replace(one, **show))
    _, late = await both[0].joined("studio")
    await until(lambda: both[0].front.desk.shared._view.person(hers).participant.name == "Eve")
    assert [one["participant_id"] for one in late["participants"]].count(hers) == 0
    await host.event("participant_joined", lambda it: it["participant_id"] != hers)
    assert await both[0].front.desk.conference.count_present("studio") == 2


async def test_who_is_put_out_while_redis_is_away_goes_when_it_is_back(
    both: list[RunningFront], server: RedisServer
) -> None:
    host, _ = await both[0].joined("studio")
    eve, ack = await both[1].joined("studio")
    await host.event("participant_joined")
    await server.kill()
    await host.event("server_state")
    await eve.event("server_state")
    await eve.ok("set_muted", True)  # and their replica writes how they are when Redis is back
    await host.ok("remove_participant", {"participant_id": ack["participant_id"], "ban": True})
    assert (await host.event("participant_left"))["reason"] == "banned"
    await server.start()
    assert await eve.event("room_closed") == BANNED
    for front in both:
        await until(lambda front=front: bans_of(front) == 1)
        other = await front.client()
        assert await other.refused("join_room", "studio") == "banned"
        await knows(front, 1)
    assert host.heard("participant_joined") == []


async def test_a_session_of_whip_ends_as_it_does_here(both: list[RunningFront]) -> None:
    for front in both:
        front.worker.answer_offer = lambda offer: Answer(offer.id, "a=ice-ufrag:us1\r\n")
    host, _ = await both[0].joined("studio")
    sdp = {"Content-Type": "application/sdp"}
    async with both[1].http.post("/whip/studio", data="v=0\r\n", headers=sdp) as reply:
        where = reply.headers["Location"]
    encoder = await host.event("participant_joined")
    wanted = {"participant_id": encoder["participant_id"], "ban": True}
    await host.ok("remove_participant", wanted)
    await both[1].worker.wait_until(lambda it: not it.participants)
    for front in both:
        await knows(front, 1)
        async with front.http.delete(where) as reply:
            assert reply.status == 404
        async with front.http.post("/whip/studio", data="v=0\r\n", headers=sdp) as reply:
            assert (reply.status, (await reply.json())["reason"]) == (403, "banned")


async def test_why_somebody_has_left_is_told_everywhere(replica: MakeReplica) -> None:
    guarded = {"auth_secret": SECRET, "operator_token": OPERATOR}
    fronts = [await replica(name, **guarded) for name in ("anna", "bert")]
    watcher, _ = await fronts[0].joined(token=token("host", sub="host"))
    eve, ack = await fronts[1].joined(token=token("publish", sub="eve", jti="hers"))
    await watcher.event("participant_joined")
    body = {"jti": "hers", "exp": 4_000_000_000}
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    async with fronts[0].http.post("/api/tokens/revoked", json=body, headers=headers) as reply:
        assert await reply.json() == {"put_out": 1}
    assert await eve.event("room_closed") == {"reason": "revoked"}
    left = await watcher.event("participant_left")
    assert left == {"participant_id": ack["participant_id"], "reason": "revoked"}


async def test_who_comes_back_just_as_they_are_put_out_is_out(both: list[RunningFront]) -> None:
    host, _ = await both[0].joined("studio")
    for turn in range(6):
        eve, ack = await both[1].joined("studio")
        await host.event("participant_joined")
        hers = ack["participant_id"]
        await eve.lose_socket()
        back = await both[0].client()
        coming = back.call("join_room", {"resume_token": ack["resume_token"]})
        going = host.call("remove_participant", {"participant_id": hers})
        first = asyncio.gather(*((coming, going) if turn % 2 else (going, coming)))
        assert any(one["ok"] for one in await first)
        await knows(both[0], 1)
        await knows(both[1], 1)
        for front in both:
            assert front.front.desk.presence.seat(hers) is None
        assert await back.refused("join_room", {"resume_token": ack["resume_token"]})
        host.events.clear()


@pytest.mark.parametrize("place", [0, 1])
async def test_whom_nobody_serves_can_be_put_out(
    both: list[RunningFront], place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entrance, "BURIED_AFTER_S", 0.05)
    host, _ = await both[place].joined("studio")
    _, ack = await both[1].joined("studio")
    store = both[1].front.desk.shared
    assert store is not None
    here = await store.participant(ack["participant_id"])
    lost = msgspec.structs.replace(here, participant_id="lost", csrc=7)
    await store.add_participant(lost, 10)
    for front in both:
        await knows(front, 3)
    await host.ok("remove_participant", {"participant_id": "lost"})
    for front in both:
        await knows(front, 2)
