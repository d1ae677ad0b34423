"""Several replicas with one Redis: whoever is connected with whichever is in the same rooms."""

import asyncio
from pathlib import Path

from tests.support.front import RunningFront, running_front
from tests.support.redis_server import RedisServer
from tests.support.replicas import ANNA, BERT, MakeReplica, store_of, until
from webrtc.control.messages import (
    Answer,
    Candidate,
    Levels,
    Meters,
    SourceLevel,
    StripMeters,
    StripSpectrum,
    WatchMeters,
)


async def die(front: RunningFront) -> None:
    """Let it be dead for the others: it says nothing any more."""
    assert front.front.desk.shared is not None
    await front.front.desk.shared.close()


def workers_of(front: RunningFront, room_id: str = "studio") -> list[int] | None:
    put = front.worker.rooms.get(room_id)
    return None if put is None else put.workers


async def test_two_people_on_two_replicas_are_in_one_room(both: list[RunningFront]) -> None:
    alice, first = await both[0].joined("studio", name="Alice")
    assert workers_of(both[0]) == []
    bob, second = await both[1].joined("studio", name="Bob")
    assert [one["name"] for one in second["participants"]] == ["Alice", "Bob"]
    assert (await alice.event("participant_joined"))["name"] == "Bob"
    await until(lambda: workers_of(both[0]) == workers_of(both[1]) == sorted([ANNA, BERT]))
    assert set(both[0].worker.participants) == {first["participant_id"]}
    assert set(both[1].worker.participants) == {second["participant_id"]}
    listed = await (await both[1].http.get("/api/rooms")).json()
    assert [(one["room_id"], one["participants"]) for one in listed["rooms"]] == [("studio", 2)]

    await bob.ok("leave_room")
    left = {"participant_id": second["participant_id"], "reason": "left"}
    assert await alice.event("participant_left") == left
    await until(lambda: workers_of(both[0]) == [])
    await until(lambda: workers_of(both[1]) is None)
    await alice.ok("leave_room")
    await until(lambda: not both[1].front.desk.shared._view.rooms)


async def test_changes_are_seen_and_heard_everywhere(both: list[RunningFront]) -> None:
    alice, first = await both[0].joined("studio", name="Alice")
    bob, second = await both[1].joined("studio", name="Bob")
    hers, his = first["participant_id"], second["participant_id"]
    await alice.event("participant_joined")
    await bob.ok("set_muted", True)
    seen = await alice.event("participant_updated", lambda it: it["participant_id"] == his)
    assert seen["muted"] is True
    # The host, elsewhere, engineers him, and his worker does it.
    await alice.ok("audio_stream_metadata", {"participant_id": his, "compRatio": 9})
    await both[1].worker.wait_until(lambda it: it.participants[his].strip["compRatio"] == 9)
    await bob.event("participant_updated", lambda it: it["settings"]["compRatio"] == 9)
    await alice.ok("set_role", {"participant_id": his, "role": "engineer"})
    await bob.event("participant_updated", lambda it: "run_desk" in it["rights"])
    await bob.ok("set_room", {"automix": True})
    assert (await alice.event("room_updated"))["settings"]["automix"] is True
    await until(lambda: both[0].worker.rooms["studio"].automix)
    await bob.ok("store_scene", {"name": "one"})
    assert [one["name"] for one in (await alice.event("scenes_changed"))["scenes"]] == ["one"]
    await alice.ok("set_listener_mix", {"participant_id": his, "gain_db": -6})
    await both[0].worker.wait_until(lambda it: his in it.participants[hers].mix)


async def test_levels_of_people_elsewhere_are_shown(both: list[RunningFront]) -> None:
    _, first = await both[0].joined("studio")
    bob, _ = await both[1].joined("studio")
    hers = first["participant_id"]
    # Her voice comes to his worker by the bus, and that tells how loud it is.
    both[1].worker.send(Levels("studio", [SourceLevel(hers, 20, True)]))
    assert await bob.event("levels") == {"levels": [[hers, 20, 1]]}
    assert await bob.event("active_speakers") == {"participants": [hers]}


async def test_meters_of_people_elsewhere_are_shown(both: list[RunningFront]) -> None:
    alice, first = await both[0].joined("studio")
    bob, second = await both[1].joined("studio")
    hers, his = first["participant_id"], second["participant_id"]
    await alice.event("participant_joined")
    await alice.ok("watch_meters", {"participants": [his], "spectrum": his})
    wanted = WatchMeters("studio", [his], [his])
    await both[0].worker.wait_until(lambda it: wanted in it.handled)
    # His worker measures them, hers asks for them by the bus.
    figures = [-20.0, -23.0, -21.0, -24.0, 0.0, -6.0, 0.0, 0.0, 0.0, -23.0]
    strips = [StripMeters(name, *figures, voice=True) for name in (his, hers)]
    spectrum = StripSpectrum(his, [-60] * 120)
    both[0].worker.send(Meters(strips, [spectrum], {"studio": -1.5}))
    event = await alice.event("meters")
    assert [(one["participant_id"], one["comp_db"]) for one in event["meters"]] == [(his, -6.0)]
    assert (event["spectrum"]["participant_id"], event["limiter_db"]) == (his, -1.5)
    assert bob.heard("meters") == []


async def test_a_room_is_closed_everywhere(both: list[RunningFront]) -> None:
    alice, ack = await both[0].joined("studio")
    bob, _ = await both[1].joined("studio")
    bearer = {"Authorization": f"Bearer {ack['host_key']}"}
    reply = await both[1].http.delete("/api/rooms/studio", headers=bearer)
    assert reply.status == 204
    for client in (alice, bob):
        assert await client.event("room_closed") == {"reason": "deleted"}
    await until(lambda: not both[0].worker.rooms and not both[1].worker.rooms)


async def test_whoever_moves_to_another_replica_is_who_they_were(both: list[RunningFront]) -> None:
    alice, ack = await both[0].joined("studio", name="Alice")
    bob, other = await both[1].joined("studio", name="Bob")
    await alice.event("participant_joined")
    hers = ack["participant_id"]
    await alice.ok("audio_stream_metadata", {"genre": "jazz"})
    await alice.ok("set_listener_mix", {"participant_id": other["participant_id"], "gain_db": -6})
    moved = await both[1].client()
    back = await moved.ok("join_room", {"resume_token": ack["resume_token"]})
    assert back["resumed"] is True
    assert back["participant_id"] == hers
    assert back["settings"]["genre"] == "jazz"
    assert back["listener_mix"][other["participant_id"]]["gain_db"] == -6
    assert back["rights"] == ack["rights"]
    assert await moved.event("media_reset") == {"reason": "worker_restarted"}
    await both[1].worker.wait_until(lambda it: it.participants[hers].strip["genre"] == "jazz")
    await alice.gone.wait()  # her former socket
    await until(lambda: not both[0].worker.rooms)
    await until(lambda: workers_of(both[1]) == [])
    assert bob.heard("participant_left") == []
    assert bob.heard("participant_joined") == []
    await moved.ok("set_muted", True)
    assert (await bob.event("participant_updated", lambda it: it["muted"]))["name"] == "Alice"
    wrong = await both[0].client()
    token = ack["resume_token"][:-1] + "x"
    assert await wrong.refused("join_room", {"resume_token": token}) == "resume_failed"


async def test_people_of_a_dead_replica_are_hidden_until_they_come_back_elsewhere(
    both: list[RunningFront],
) -> None:
    _, ack = await both[0].joined("studio", name="Alice")
    bob, _ = await both[1].joined("studio", name="Bob")
    await until(lambda: workers_of(both[1]) == sorted([ANNA, BERT]))
    await die(both[0])
    lost = {"participant_id": ack["participant_id"], "reason": "lost"}
    assert await bob.event("participant_left") == lost
    await until(lambda: workers_of(both[1]) == [])
    _, seen = await both[1].joined("studio", name="Late")
    assert [one["name"] for one in seen["participants"]] == ["Bob", "Late"]
    back = await both[1].client()
    assert (await back.ok("join_room", {"resume_token": ack["resume_token"]}))["resumed"]
    assert (await bob.event("participant_joined", lambda it: it["name"] == "Alice"))["csrc"] == (
        ack["participants"][0]["csrc"]
    )


async def test_somebody_who_is_lost_is_hidden_everywhere(both: list[RunningFront]) -> None:
    _, ack = await both[0].joined("studio")
    bob, _ = await both[1].joined("studio")
    seat = both[0].front.desk.presence.seat(ack["participant_id"])
    both[0].front.desk.presence._show(seat, False)
    assert (await bob.event("participant_left"))["reason"] == "lost"
    both[0].front.desk.presence._show(seat, True)
    assert (await bob.event("participant_joined"))["participant_id"] == ack["participant_id"]


async def test_without_redis_replicas_go_on_alone_and_say_so(
    both: list[RunningFront], server: RedisServer
) -> None:
    alice, first = await both[0].joined("studio", name="Alice")
    bob, _ = await both[1].joined("studio", name="Bob")
    await alice.event("participant_joined")
    await server.kill()
    assert await alice.event("server_state") == {"degraded": ["replicas"]}
    carol, third = await both[0].joined("studio", name="Carol")
    assert [one["name"] for one in third["participants"]] == ["Alice", "Bob", "Carol"]
    assert await carol.event("server_state") == {"degraded": ["replicas"]}
    await alice.event("participant_joined", lambda it: it["name"] == "Carol")
    await alice.ok("set_room", {"automix": True})
    await bob.ok("set_muted", True)
    await alice.lose_socket()
    alice = await both[0].client()
    assert (await alice.ok("join_room", {"resume_token": first["resume_token"]}))["resumed"]
    health = await (await both[0].http.get("/health/ready")).json()
    assert health["status"] == "ready"
    assert health["redis"] == "away"

    await server.start()
    await until(lambda: any(one["muted"] for one in alice.heard("participant_updated")))
    await until(lambda: {"degraded": []} in alice.heard("server_state"))
    assert (await bob.event("room_updated"))["settings"]["automix"] is True
    assert (await bob.event("participant_joined"))["name"] == "Carol"
    for front in both:
        await until(lambda front=front: workers_of(front) == sorted([ANNA, BERT]))
    health = await (await both[0].http.get("/health/ready")).json()
    assert health["redis"] == "there"


async def test_a_front_process_that_comes_again_finds_its_people(
    replica: MakeReplica, server: RedisServer, tmp_path: Path
) -> None:
    bert = await replica("bert")
    bob, _ = await bert.joined("studio", name="Bob")
    folder = tmp_path / "again"
    folder.mkdir()

    async with running_front(folder, store=store_of("anna", server), replica="anna") as anna:
        _, ack = await anna.joined("studio", name="Alice")
        worker = anna.worker
    await worker.start()  # it had only lost its front process
    async with running_front(
        folder, [worker], store=store_of("anna", server), replica="anna"
    ) as again:
        alice = await again.client()
        assert (await alice.ok("join_room", {"resume_token": ack["resume_token"]}))["resumed"]
        assert alice.heard("media_reset") == []
        await until(lambda: workers_of(again) == sorted([ANNA, BERT]))
        await alice.ok("set_muted", True)
        await bob.event("participant_updated", lambda it: it["name"] == "Alice" and it["muted"])
    await worker.stop()


async def test_a_replica_that_is_drained_sends_its_people_away_one_after_the_other(
    both: list[RunningFront],
) -> None:
    people = [await both[0].joined("studio") for _ in range(4)]
    watcher, _ = await both[1].joined("studio")
    draining = asyncio.create_task(both[0].front.drain(8.0))
    waits = [(await client.event("server_draining"))["retry_after_s"] for client, _ in people]
    assert waits == [0.0, 1.0, 2.0, 3.0]
    assert (await both[0].http.get("/health/ready")).status == 503
    late = await both[0].client()
    assert await late.refused("join_room", "studio") == "draining"
    for client, ack in people:
        assert not draining.done()
        moved = await both[1].client()
        assert (await moved.ok("join_room", {"resume_token": ack["resume_token"]}))["resumed"]
        await client.gone.wait()
    await draining
    assert watcher.heard("participant_left") == []
    await both[0].front.desk.leave_replicas()
    assert await both[1].front.desk.conference.count_present("studio") == 5


async def test_sessions_of_whip_can_be_spoken_to_at_any_replica(
    both: list[RunningFront],
) -> None:
    for front in both:
        front.worker.answer_offer = lambda offer: Answer(offer.id, "a=ice-ufrag:us1\r\n")
    sdp = {"Content-Type": "application/sdp"}
    offer = "v=0\r\nm=audio 9 X 111\r\na=mid:0\r\na=ice-ufrag:OLD1\r\na=ice-pwd:oldold\r\n"
    async with both[0].http.post("/whip/studio", data=offer, headers=sdp) as response:
        assert response.status == 201
        where, tag = response.headers["Location"], response.headers["ETag"]
    await until(lambda: both[1].front.desk.shared.members("studio"))
    trickled = "m=audio 9 X 111\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
    fragment = {"Content-Type": "application/trickle-ice-sdpfrag"}
    for given, status in ((tag, 204), ('"other"', 412)):
        headers = {**fragment, "If-Match": given}
        async with both[1].http.patch(where, data=trickled, headers=headers) as response:
            assert response.status == status
    await both[0].worker.wait_until(lambda it: any(isinstance(x, Candidate) for x in it.handled))
    async with both[1].http.delete(where[:-1] + "x") as response:
        assert response.status == 404
    async with both[1].http.delete(where) as response:
        assert response.status == 200
    await until(lambda: not both[0].worker.participants)
    await until(lambda: not both[1].front.desk.shared.members("studio"))


async def test_a_session_of_a_replica_that_is_gone_is_away(both: list[RunningFront]) -> None:
    both[0].worker.answer_offer = lambda offer: Answer(offer.id, "a=ice-ufrag:us1\r\n")
    sdp = {"Content-Type": "application/sdp"}
    async with both[0].http.post("/whip/studio", data="v=0\r\n", headers=sdp) as response:
        where = response.headers["Location"]
    await until(lambda: both[1].front.desk.shared.members("studio"))
    await die(both[0])
    await until(lambda: not both[1].front.desk.shared.leases.url_of(ANNA))
    async with both[1].http.delete(where) as response:
        assert response.status == 503


async def test_rooms_are_in_the_metrics_with_the_state_of_redis(both: list[RunningFront]) -> None:
    await both[0].joined("studio")
    text = await (await both[0].http.get("/metrics")).text()
    assert "ag06_redis_connected 1" in text
    assert "ag06_redis_losses_total 0" in text
