"""Once tokens are on: every event and every resource times every token that is no good.

The tables are generated from the definitions. An event or a route without a rule here fails, so
that nobody adds a door and forgets its lock.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest

from gateway.wire.lines import Error, Hello
from rooms.rights import Grant
from tests.signaling.test_gateway_control import Line
from tests.support.fake_worker import FakeWorker
from tests.support.front import Client, RunningFront, running_front
from tests.support.passes import ALL, BAD_TOKENS, OPERATOR, SECRET, token
from webrtc.api.openapi import DOCUMENT
from webrtc.front_limits import FrontLimits
from webrtc.signaling.messages import CLIENT_EVENTS

PATIENT: Final = FrontLimits(event_rate_per_s=1e9, event_burst=1e9)
SDP: Final = {"sdp": "v=0"}

SPEAKING: Final = frozenset({"publish", "engineer", "host", "admin"})
HEARING: Final = frozenset({"subscribe", "engineer", "host", "admin"})
DESK: Final = frozenset({"engineer", "host", "admin"})
HOSTING: Final = frozenset({"host", "admin"})
GONE_MEANWHILE: Final = {"scene_not_found", "participant_not_found"}
"""What an event may find that was allowed, after those before it."""
INSIDE: Final = SPEAKING | HEARING  # whoever is in a room at all
GETS_IN: Final = INSIDE

EVENTS: Final[dict[str, tuple[Any, frozenset[str]]]] = {
    "join_room": ("room", GETS_IN),
    "leave_room": (None, INSIDE),
    "offer": ({"type": "offer", **SDP}, INSIDE),
    "answer": ({"type": "answer", **SDP}, frozenset()),  # of an offer that was never made
    "ice_candidate": (None, INSIDE),
    "audio_stream_metadata": ({"fader": -3}, DESK | {"own_strip"}),
    "set_listener_mix": ({"participant_id": "$other", "gain_db": -3}, HEARING),
    "set_room": ({"automix": True}, DESK),
    "set_network": ({"network": "wifi"}, DESK),
    "set_speaker": ({"participant_id": "$other", "pinned": True}, DESK),
    "set_role": ({"participant_id": "$other", "role": "listener"}, HOSTING),
    "store_scene": ({"name": "one"}, DESK),
    "recall_scene": ({"name": "kept"}, DESK),
    "delete_scene": ({"name": "kept"}, DESK),
    "set_door": ({"locked": False}, HOSTING),
    "admit": ({"guest_id": "nobody"}, HOSTING),
    "mute_participant": ({"participant_id": "$other"}, HOSTING),
    "watch_meters": ({"participants": ["$other"]}, DESK),
    "set_muted": (True, INSIDE),
    "set_deafened": (True, INSIDE),
    "set_visibility": (False, INSIDE),
    "get_stats": (None, INSIDE),
    "remove_participant": ({"participant_id": "$other"}, HOSTING),
}
"""A payload that is all right, and the grants of which each alone is enough."""

WHIP_AND_WHEP: Final = ("/whip/{room_id}", "/whep/{room_id}")
OPEN_ROUTES: Final = {
    ("get", "/health"),
    ("get", "/health/ready"),
    ("get", "/api/openapi.json"),
    *((method, path) for path in WHIP_AND_WHEP for method in ("get", "options")),
    *((method, path + "/{session}") for path in WHIP_AND_WHEP for method in ("get", "options")),
}
BY_SECRET_ADDRESS: Final = {
    (method, path + "/{session}") for path in WHIP_AND_WHEP for method in ("patch", "delete")
}
"""Whoever knows the address was told it in answer to a good token."""
OFFER: Final = b"v=0"
OPERATORS: Final = frozenset({"admin"})
RECORDING: Final = frozenset({"record", "host", "admin"})
ROUTES: Final[dict[tuple[str, str], tuple[Any, frozenset[str]]]] = {
    ("get", "/metrics"): (None, OPERATORS),
    ("get", "/api/stats"): (None, OPERATORS),
    ("get", "/api/rooms"): (None, OPERATORS),
    ("post", "/api/tokens/revoked"): ({"jti": "one", "exp": 1}, OPERATORS),
    ("post", "/api/rooms"): ({"room_id": "new-room"}, HOSTING),
    ("get", "/api/rooms/{room_id}"): (None, frozenset(ALL)),
    ("patch", "/api/rooms/{room_id}"): ({"automix": True}, HOSTING),
    ("delete", "/api/rooms/{room_id}"): (None, HOSTING),
    ("get", "/api/rooms/{room_id}/scenes"): (None, frozenset(ALL)),
    ("put", "/api/rooms/{room_id}/scenes/{name}"): (None, HOSTING),
    ("post", "/api/rooms/{room_id}/scenes/{name}/recall"): ({}, HOSTING),
    ("delete", "/api/rooms/{room_id}/scenes/{name}"): (None, HOSTING),
    ("get", "/api/rooms/{room_id}/network"): (None, frozenset(ALL)),
    ("put", "/api/rooms/{room_id}/network"): ({"network": "wifi"}, DESK),
    ("post", "/api/rooms/{room_id}/playbacks"): (OFFER, DESK),  # which is no sound
    ("get", "/api/rooms/{room_id}/playbacks"): (None, frozenset(ALL)),
    ("patch", "/api/rooms/{room_id}/playbacks/{playback_id}"): ({}, DESK),
    ("delete", "/api/rooms/{room_id}/playbacks/{playback_id}"): (None, DESK),
    ("get", "/api/rooms/{room_id}/broadcast"): (None, HOSTING),
    ("put", "/api/rooms/{room_id}/broadcast"): ({"state": "stopped"}, HOSTING),
    ("get", "/api/rooms/{room_id}/recording"): (None, frozenset(ALL)),
    ("put", "/api/rooms/{room_id}/recording"): ({"state": "recording"}, RECORDING),
    ("post", "/api/rooms/{room_id}/recording/marks"): ({"label": "one"}, RECORDING),
    ("get", "/api/rooms/{room_id}/recordings"): (None, RECORDING),
    ("get", "/api/rooms/{room_id}/recordings/{recording_id}/{file}"): (None, RECORDING),
    ("delete", "/api/rooms/{room_id}/recordings/{recording_id}"): (None, RECORDING),
    ("post", "/whip/{room_id}"): (OFFER, SPEAKING),
    ("post", "/whep/{room_id}"): (OFFER, HEARING),
}

_ONE: Final = "/api/session/{session_id}"
SESSIONS: Final = {
    ("get", "/api/sessions"),
    ("get", _ONE + "/info"),
    ("get", _ONE + "/download"),
    ("get", _ONE + "/waveform.svg"),
    ("get", _ONE + "/waveform.png"),
    ("post", _ONE + "/play"),
    ("post", _ONE + "/stop"),
    ("delete", _ONE),
}
"""They want the right to hear sessions of the one room that a token names."""
STREAM: Final = ("get", _ONE + "/stream/{token}")
BROADCAST: Final = ("get", "/hls/{broadcast_id}/{file}")


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[RunningFront]:
    settings = {"auth_secret": SECRET, "operator_token": OPERATOR, "simulated_network": "clean"}
    async with running_front(tmp_path, limits=PATIENT, **settings) as front:
        yield front


async def a_room(front: RunningFront) -> tuple[Client, str]:
    """Let a host and a guest in; return the host and the guest's id."""
    host, _ = await front.joined(token=token("host"))
    await host.ok("store_scene", {"name": "kept"})
    _, ack = await front.joined(token=token("publish", "subscribe"))
    return host, ack["participant_id"]


def filled_in(payload: Any, other: str) -> Any:
    if isinstance(payload, dict):
        return {key: filled_in(value, other) for key, value in payload.items()}
    if isinstance(payload, list):
        return [filled_in(value, other) for value in payload]
    return other if payload == "$other" else payload


async def everything(front: RunningFront) -> tuple[Any, ...]:
    """Return whatever somebody could have changed."""
    store = front.front.desk.conference.store
    rooms = await store.rooms()
    people = [one for room in rooms for one in await store.participants(room.room_id)]
    return rooms, people, list(front.worker.handled)


# ---- events ---------------------------------------------------------------------------------


def test_every_event_has_a_rule() -> None:
    assert EVENTS.keys() | {"watch_sessions"} == CLIENT_EVENTS.keys()


@pytest.mark.parametrize("bad", BAD_TOKENS)
async def test_no_event_does_anything_under_a_bad_token(front: RunningFront, bad: str) -> None:
    make, reason = BAD_TOKENS[bad]
    _, other = await a_room(front)
    await asyncio.sleep(0)
    before = await everything(front)
    stranger = await front.client()
    shown = {} if make() is None else {"token": make()}
    assert await stranger.refused("join_room", {"room_id": "room", **shown}) == reason
    assert await stranger.refused("join_room", {"room_id": "room"}) == "unauthorized"
    for name, (payload, _) in EVENTS.items():
        if name != "join_room":
            arguments = () if payload is None else (filled_in(payload, other),)
            assert await stranger.refused(name, *arguments) == "not_joined", name
    assert await everything(front) == before
    assert stranger.events == []


@pytest.mark.parametrize("grant", list(Grant))
async def test_each_grant_alone_opens_what_it_names_and_no_more(
    front: RunningFront, grant: Grant
) -> None:
    host, other = await a_room(front)
    client = await front.client()
    ack = await client.call("join_room", {"room_id": "room", "token": token(grant)})
    assert ack["ok"] is (grant in GETS_IN), ack
    # What lets nobody in by itself is tried beside the least that does, and that it goes with.
    beside = {Grant.OWN_STRIP: ("publish",), Grant.RECORD: ("subscribe",)}.get(grant, ())
    for name, (payload, grants) in EVENTS.items():
        if name == "join_room":
            continue
        client, _ = await front.joined(token=token(grant, *beside))
        arguments = () if payload is None else (filled_in(payload, other),)
        ack = await client.call(name, *arguments)
        allowed = grant in grants or any(one in grants for one in beside)
        if allowed:
            assert ack["ok"] or ack["error"]["reason"] in GONE_MEANWHILE, (name, ack)
        else:
            assert not ack["ok"], name
            assert ack["error"]["reason"] in {"forbidden", "no_offer_pending"}, name
        await client.sio.disconnect()
    assert host.sio.connected


# ---- REST -----------------------------------------------------------------------------------


def test_every_route_has_a_rule(front: RunningFront) -> None:
    described = {
        (method, path)
        for path, methods in front.front.app[DOCUMENT]["paths"].items()
        for method in methods
    }
    assert described == OPEN_ROUTES | BY_SECRET_ADDRESS | ROUTES.keys() | SESSIONS | {
        STREAM,
        BROADCAST,
    }


async def ask(
    front: RunningFront, route: tuple[str, str], bearer: str | None, room_id: str = "room"
) -> tuple[int, dict[str, Any]]:
    method, path = route
    ids = {"playback_id": "nobody", "recording_id": "none", "file": "mix.flac"}
    url = path.format(room_id=room_id, name="kept", **ids)
    headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
    body = ROUTES[route][0]
    given: dict[str, Any] = {"json": body}
    if isinstance(body, bytes):
        given = {"data": body}
        headers["Content-Type"] = "application/sdp"
    async with front.http.request(method, url, headers=headers, **given) as response:
        is_json = "json" in response.content_type
        return response.status, await response.json() if is_json else {}


@pytest.mark.parametrize("bad", BAD_TOKENS)
async def test_no_resource_answers_a_bad_token(front: RunningFront, bad: str) -> None:
    make, reason = BAD_TOKENS[bad]
    _, other = await a_room(front)
    before = await everything(front)
    for route, (_, grants) in ROUTES.items():
        if bad in {"that opens nothing", "of a later version"} and "subscribe" in grants:
            continue  # it names the room, which is enough for looking at it
        status, problem = await ask(front, route, make())
        assert status in {401, 403}, route
        assert problem["reason"] == reason, route
        assert other not in str(problem)
    assert await everything(front) == before


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
@pytest.mark.parametrize("grant", list(Grant))
async def test_each_resource_answers_the_grants_that_it_names(
    front: RunningFront, grant: Grant, route: tuple[str, str]
) -> None:
    await a_room(front)
    rooms = "*" if route in {("post", "/api/rooms")} or ROUTES[route][1] == OPERATORS else "room"
    status, problem = await ask(front, route, token(grant, room=rooms))
    assert (status not in {401, 403}) is (grant in ROUTES[route][1]), problem


@pytest.mark.parametrize("grant", list(Grant))
async def test_sessions_answer_those_who_may_hear_them(front: RunningFront, grant: Grant) -> None:
    await a_room(front)
    headers = {"Authorization": f"Bearer {token(grant)}"}
    for method, path in SESSIONS:
        url = path.format(session_id="ab12")
        async with front.http.request(method, url, headers=headers) as response:
            found = 200 if path == "/api/sessions" else 404
            assert response.status == (found if grant in DESK else 403), (method, path)
    watching = await front.client()
    ack = await watching.call("watch_sessions", {"token": token(grant)})
    assert ack["ok"] is (grant in DESK)


@pytest.mark.parametrize("bad", BAD_TOKENS)
async def test_sessions_answer_no_bad_token(front: RunningFront, bad: str) -> None:
    make, _ = BAD_TOKENS[bad]
    _, ack = await front.joined(token=token("host"))
    shown = {} if make() is None else {"Authorization": f"Bearer {make()}"}
    for method, path in SESSIONS:
        url = path.format(session_id="ab12")
        async with front.http.request(method, url, headers=shown) as response:
            assert response.status in {401, 403}, (method, path)
    async with front.http.get(STREAM[1].format(session_id="ab12", token="x")) as response:
        assert response.status == 404
    headers = {"Authorization": f"Bearer {ack['resume_token']}"}
    async with front.http.get("/api/sessions", headers=headers) as response:
        assert response.status == 200


async def test_a_session_is_known_to_nobody_else(front: RunningFront) -> None:
    await a_room(front)
    made_up = BROADCAST[1].format(broadcast_id="made-up-secret", file="index.m3u8")
    async with front.http.get(made_up) as response:
        assert response.status == 404
    for method, path in BY_SECRET_ADDRESS:
        url = path.format(room_id="room", session="made-up.secret")
        kind = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}
        async with front.http.request(method, url, headers=kind) as response:
            assert response.status == 404


async def test_an_admin_of_one_room_is_no_operator(front: RunningFront) -> None:
    await a_room(front)
    for route, (_, grants) in ROUTES.items():
        if grants == OPERATORS:
            assert (await ask(front, route, token("admin")))[0] == 403
            assert (await ask(front, route, OPERATOR))[0] == 200


async def test_a_host_key_opens_nothing_where_tokens_decide(front: RunningFront) -> None:
    client, ack = await front.joined(token=token("host"))
    assert "host_key" not in ack
    _, created = await ask(front, ("post", "/api/rooms"), token("host", room="*"))
    assert "host_key" not in created
    stranger = await front.client()
    made_up = {"room_id": "room", "host_key": "x", "token": token("subscribe")}
    assert (await stranger.ok("join_room", made_up))["rights"] == ["subscribe"]
    assert client.sio.connected


async def test_a_missing_room_looks_like_any_other_to_a_stranger(front: RunningFront) -> None:
    for path in ("/api/rooms/no-such-room", "/api/rooms/no-such-room/scenes"):
        async with front.http.get(path) as response:
            assert response.status == 401
        headers = {"Authorization": f"Bearer {token('subscribe', room='no-such-room')}"}
        async with front.http.get(path, headers=headers) as response:
            assert response.status == 404


# ---- other tenants --------------------------------------------------------------------------

THEIRS: Final = {room: token(*ALL, room=room, tenant="acme") for room in ("room", "*")}
"""All that can be granted, by one room and by all of them, for another tenant's."""
MAKES_ROOMS: Final = {("post", "/api/rooms"), ("post", "/whip/{room_id}")}


@pytest.mark.parametrize("room", THEIRS)
async def test_no_event_reaches_into_another_tenants_room(front: RunningFront, room: str) -> None:
    _, other = await a_room(front)
    await asyncio.sleep(0)
    before = await everything(front)
    client = await front.client()
    assert await client.refused("join_room", {"room_id": "room", "token": THEIRS[room]}) == (
        "room_not_found"
    )
    for name, (payload, _) in EVENTS.items():
        if name != "join_room":
            arguments = () if payload is None else (filled_in(payload, other),)
            assert await client.refused(name, *arguments) == "not_joined", name
    assert await client.refused("watch_sessions", {"token": THEIRS[room]}) == "forbidden"
    assert await everything(front) == before
    assert client.events == []


async def test_who_is_inside_their_own_room_does_nothing_in_anothers(front: RunningFront) -> None:
    """Every event that names a participant, with one of another tenant's."""
    _, other = await a_room(front)
    before = await front.front.desk.conference.store.participant(other)
    client, _ = await front.joined("their-own", token=THEIRS["*"])
    for name, (payload, _) in EVENTS.items():
        if "$other" in str(payload):
            ack = await client.call(name, filled_in(payload, other))
            assert not ack["ok"], name
            assert ack["error"]["reason"] == "participant_not_found", name
    assert await front.front.desk.conference.store.participant(other) == before


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
async def test_another_tenants_room_is_answered_like_none(
    front: RunningFront, route: tuple[str, str]
) -> None:
    await a_room(front)
    _, ack = await front.joined("their-own", token=THEIRS["*"])
    before = await everything(front)
    if ROUTES[route][1] == OPERATORS and route != ("get", "/api/rooms"):
        for shown in THEIRS.values():
            assert (await ask(front, route, shown))[0] == 403
    elif route not in MAKES_ROOMS and route != ("get", "/api/rooms"):
        # What is too little must not tell, either.
        single = [token(grant, room="*", tenant="acme") for grant in ALL]
        for shown in (*single, ack["resume_token"]):
            theirs = await ask(front, route, shown)
            assert theirs == await ask(front, route, shown, room_id="nowhere")
            assert theirs[0] in {401, 403, 404}
        assert (await ask(front, route, THEIRS["room"]))[0] == 404
    assert await everything(front) == before


async def test_a_room_id_that_another_tenant_has_is_taken(front: RunningFront) -> None:
    """Which is all that can be learnt of it, by those who might make a room of this id."""
    await a_room(front)
    headers = {"Authorization": f"Bearer {THEIRS['*']}"}
    async with front.http.post("/api/rooms", json={"room_id": "room"}, headers=headers) as response:
        assert (response.status, (await response.json())["reason"]) == (409, "room_exists")
    assert (await ask(front, ("post", "/whip/{room_id}"), THEIRS["*"]))[0] == 404
    async with front.http.get("/api/rooms", headers=headers) as response:
        assert (await response.json())["rooms"] == []
    async with front.http.post("/api/rooms", json={"room_id": "ours"}, headers=headers) as response:
        assert response.status == 201
    async with front.http.get("/api/rooms", headers=headers) as response:
        assert [room["room_id"] for room in (await response.json())["rooms"]] == ["ours"]
    stranger = await front.client()
    mine = {"room_id": "ours", "token": token(*ALL, room="*")}
    assert await stranger.refused("join_room", mine) == "room_not_found"
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    async with front.http.get("/api/rooms", headers=headers) as response:
        assert len((await response.json())["rooms"]) == 2


async def test_sessions_are_their_tenants(front: RunningFront) -> None:
    await a_room(front)
    for shown in THEIRS.values():
        headers = {"Authorization": f"Bearer {shown}"}
        for method, path in SESSIONS:
            url = path.format(session_id="ab12")
            async with front.http.request(method, url, headers=headers) as response:
                assert response.status == 403, (method, path)


# ---- the UDP gateway's line -----------------------------------------------------------------


@pytest.fixture
async def gateway_port(tmp_path: Path) -> AsyncIterator[tuple[RunningFront, int]]:
    worker = FakeWorker(tmp_path / "worker-0.sock")
    worker.gateway_port = 5003
    await worker.start()
    async with running_front(tmp_path, [worker], PATIENT, auth_secret=SECRET) as front:
        server = await asyncio.start_server(front.front.gateway._serve, "127.0.0.1", 0)
        yield front, server.sockets[0].getsockname()[1]
        server.close()
    await worker.stop()


@pytest.mark.parametrize("bad", BAD_TOKENS)
async def test_no_line_opens_under_a_bad_token(
    gateway_port: tuple[RunningFront, int], bad: str
) -> None:
    front, port = gateway_port
    make, reason = BAD_TOKENS[bad]
    line = Line(*await asyncio.open_connection("127.0.0.1", port))
    said = await line.ask(Hello(name="x", room_id="room", token=make()))
    assert isinstance(said, Error)
    assert said.reason == reason
    line.writer.close()
    assert await front.front.desk.conference.store.rooms() == []


async def test_no_line_opens_into_another_tenants_room(
    gateway_port: tuple[RunningFront, int],
) -> None:
    front, port = gateway_port
    await a_room(front)
    before = await everything(front)
    line = Line(*await asyncio.open_connection("127.0.0.1", port))
    said = await line.ask(Hello(name="x", room_id="room", token=THEIRS["*"]))
    assert isinstance(said, Error)
    assert said.reason == "room_not_found"
    line.writer.close()
    assert await everything(front) == before


async def test_a_line_opens_under_a_good_token(gateway_port: tuple[RunningFront, int]) -> None:
    front, port = gateway_port
    line = Line(*await asyncio.open_connection("127.0.0.1", port))
    good = token("publish", "subscribe", room="room", sub="grace", name="Grace")
    await line.ask(Hello(name="somebody else", room_id="room", token=good))
    (participant,) = await front.front.desk.conference.store.participants("room")
    assert (participant.name, participant.subject) == ("Grace", "grace")
    line.writer.close()
