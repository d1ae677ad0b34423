"""WHIP and WHEP as HTTP sees them; the media worker is a fake."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.front import RunningFront, running_front
from tests.support.patience import PATIENCE_S
from webrtc.control.messages import Answer, Failed, Offer
from webrtc.front_limits import FrontLimits
from webrtc.settings_texts import IceServer
from webrtc.signaling import http_guests, http_sessions
from webrtc.signaling.sdp_fragments import CONTENT_TYPE

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": CONTENT_TYPE}
CANDIDATE = "candidate:1 1 udp 2130706431 192.0.2.1 9 typ host"
TRICKLED = f"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na={CANDIDATE}\r\n"
RESTART = "a=ice-ufrag:NEW1\r\na=ice-pwd:newnewnewnewnewnewnewnew\r\n"
OFFER = "v=0\r\nm=audio 9 X 111\r\na=mid:0\r\na=ice-ufrag:OLD1\r\na=ice-pwd:oldold\r\n"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_sessions, "LOOK_EVERY_S", 0.01)


def answering(front: RunningFront) -> None:
    """Let the worker answer as one does: with credentials that a restart changes."""

    def answer(offer: Offer) -> Answer:
        number = "2" if "NEW1" in offer.sdp else "1"
        return Answer(offer.id, f"v=0\r\nm=audio 9 X 111\r\na=mid:0\r\na=ice-ufrag:us{number}\r\n")

    front.worker.answer_offer = answer


async def opened(front: RunningFront, path: str = "/whip/studio", **headers: str) -> Any:
    async with front.http.post(path, data=OFFER, headers=SDP | headers) as response:
        return response.status, response.headers, await response.text()


async def people(front: RunningFront) -> list[dict[str, Any]]:
    async with front.http.get("/api/rooms/studio") as response:
        return (await response.json())["participants"] if response.status == 200 else []


async def until_nobody(front: RunningFront) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while (
            front.worker.participants
            or await people(front)
            or front.front.dispatcher.sockets > len(front.clients)
        ):
            await asyncio.sleep(0.01)


async def test_who_has_to_wait_at_a_door_asks_again_and_is_let_in(front: RunningFront) -> None:
    answering(front)
    host, _ = await front.joined("studio")
    await host.ok("set_door", {"waiting": True})
    for _ in range(2):  # it is one guest, however often it asks
        status, headers, text = await opened(front, "/whip/studio?name=OBS")
        assert (status, headers["Retry-After"]) == (403, "5")
        assert json.loads(text)["reason"] == "waiting"
    waiting = await host.event("guests_waiting", lambda told: told["guests"])
    (guest,) = waiting["guests"]
    assert guest["name"] == "OBS"
    await host.ok("admit", {"guest_id": guest["guest_id"], "admit": True})
    assert (await opened(front, "/whip/studio?name=Another"))[0] == 403
    assert (await opened(front, "/whip/studio?name=OBS"))[0] == 201
    assert (await opened(front, "/whip/studio?name=OBS"))[0] == 403, "once let in is not for ever"


async def test_who_is_not_let_in_is_told_and_who_asks_no_more_is_forgotten(
    front: RunningFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(front)
    host, _ = await front.joined("studio")
    await host.ok("set_door", {"waiting": True})
    await opened(front, "/whip/studio?name=OBS")
    (guest,) = (await host.event("guests_waiting", lambda told: told["guests"]))["guests"]
    await host.ok("admit", {"guest_id": guest["guest_id"], "admit": False})
    for _ in range(2):
        status, _, text = await opened(front, "/whip/studio?name=OBS")
        assert (status, json.loads(text)["reason"]) == (403, "denied")
    await opened(front, "/whip/studio?name=Another")
    await host.event("guests_waiting", lambda told: told["guests"])
    monkeypatch.setattr(http_guests, "STAYS_S", 0.0)
    await host.event("guests_waiting", lambda told: not told["guests"])
    async with asyncio.timeout(PATIENCE_S):
        while front.front.dispatcher.sockets > len(front.clients):
            await asyncio.sleep(0.01)


async def test_an_offer_makes_a_participant_and_a_delete_ends_it(front: RunningFront) -> None:
    answering(front)
    alice, _ = await front.joined("studio")
    status, headers, answer = await opened(front, "/whip/studio?name=OBS")
    assert (status, headers["Content-Type"]) == (201, "application/sdp")
    assert "us1" in answer
    assert headers["Accept-Patch"] == CONTENT_TYPE
    joined = await alice.event("participant_joined")
    updated = await alice.event("participant_updated")
    assert (joined["name"], updated["kind"], updated["role"]) == ("OBS", "whip", "publisher")
    assert "host" not in str(updated["rights"])
    assert headers["Location"].startswith("/whip/studio/")
    for wanted in (200, 404):
        async with front.http.delete(headers["Location"]) as response:
            assert response.status == wanted
    left = await alice.event("participant_left")
    assert left == {"participant_id": joined["participant_id"], "reason": "left"}
    assert front.front.dispatcher.sockets == 1


async def test_who_listens_needs_a_room(front: RunningFront) -> None:
    status, _, body = await opened(front, "/whep/studio")
    assert status == 404
    assert "room_not_found" in body
    await front.joined("studio")
    status, headers, _ = await opened(front, "/whep/studio")
    assert status == 201
    assert [(one["kind"], one["role"]) for one in await people(front)][1:] == [
        ("whep", "subscriber")
    ]
    async with front.http.delete(headers["Location"].replace("whep", "whip")) as response:
        assert response.status == 404
    async with front.http.delete(headers["Location"]) as response:
        assert response.status == 200


async def test_candidates_and_restarts_take_the_right_tag(front: RunningFront) -> None:
    answering(front)
    _, headers, _ = await opened(front)
    where, tag = headers["Location"], headers["ETag"]

    async def patch(body: str, **more: str) -> tuple[int, str, str]:
        async with front.http.patch(where, data=body, headers=FRAGMENT | more) as response:
            return response.status, response.headers.get("ETag", ""), await response.text()

    assert (await patch(TRICKLED))[0] == 428
    assert (await patch(TRICKLED, **{"If-Match": '"other"'}))[0] == 412
    assert (await patch("no fragment", **{"If-Match": tag}))[0] == 422
    assert (await patch(TRICKLED, **{"If-Match": "*"}))[0] == 422
    assert (await patch(TRICKLED, **{"If-Match": tag}))[0] == 204
    (candidate,) = [one for one in front.worker.handled if type(one).__name__ == "Candidate"]
    assert (candidate.candidate, candidate.sdp_mid) == (CANDIDATE, "0")
    status, new_tag, answer = await patch(RESTART, **{"If-Match": "*"})
    assert status == 200
    assert new_tag not in ("", tag)
    assert "us2" in answer
    assert (await patch(TRICKLED, **{"If-Match": tag}))[0] == 412
    assert (await patch(TRICKLED, **{"If-Match": new_tag}))[0] == 204


async def test_what_is_wrong_with_a_request_is_a_problem(front: RunningFront) -> None:
    for method, path, headers, body, status in [
        ("POST", "/whip/studio", {"Content-Type": "text/plain"}, OFFER, 415),
        ("POST", "/whip/studio", SDP, "", 422),
        ("POST", "/whip/studio", SDP, "x" * 70_000, 413),
        ("POST", "/whip/studio", SDP, b"\xff\xfe", 422),
        ("POST", "/whip/-studio", SDP, OFFER, 400),
        ("POST", "/whip/studio?name=a%00b", SDP, OFFER, 400),
        ("GET", "/whip/studio", {}, None, 405),
        ("GET", "/whep/studio/x", {}, None, 405),
        ("PUT", "/whip/studio", SDP, OFFER, 405),
        ("DELETE", "/whip/studio/x.y", {}, None, 404),
        ("PATCH", "/whip/studio/x.y", FRAGMENT, TRICKLED, 404),
        ("PATCH", "/whip/studio/x.y", SDP, TRICKLED, 415),
    ]:
        async with front.http.request(method, path, headers=headers, data=body) as response:
            assert response.status == status, (method, path)
            assert response.content_type == "application/problem+json"
            assert status != 405 or "OPTIONS" in response.headers["Allow"]
    await until_nobody(front)


async def test_a_refused_offer_leaves_nobody_behind(front: RunningFront) -> None:
    front.worker.answer_offer = lambda offer: Failed(offer.id, "bad_sdp", "no Opus")
    status, _, body = await opened(front)
    assert status == 422
    assert "no Opus" in body
    await until_nobody(front)


async def test_options_tell_what_is_taken(front: RunningFront) -> None:
    async with front.http.options("/whip/studio") as response:
        assert (response.status, response.headers["Accept-Post"]) == (204, "application/sdp")
    preflight = {
        "Origin": front.url,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "content-type,if-match",
    }
    async with front.http.options("/whep/studio/x", headers=preflight) as response:
        assert response.status == 204
        assert "PATCH" in response.headers["Access-Control-Allow-Methods"]
        assert response.headers["Access-Control-Allow-Origin"] == front.url
        assert "Location" in response.headers["Access-Control-Expose-Headers"]
    foreign = preflight | {"Origin": "https://elsewhere.example"}
    async with front.http.options("/whep/studio/x", headers=foreign) as response:
        assert "Access-Control-Allow-Origin" not in response.headers


async def test_the_host_key_makes_a_host(front: RunningFront) -> None:
    _, ack = await front.joined("studio")
    status, _, _ = await opened(front, Authorization=f"Bearer {ack['host_key']}")
    assert status == 201
    assert "close_room" in (await people(front))[1]["rights"]


@pytest.mark.parametrize("state", ["failed", "closed"])
async def test_whose_connection_ends_is_gone(front: RunningFront, state: Any) -> None:
    await opened(front)
    (participant_id,) = front.worker.participants
    front.worker.send_media(participant_id, "connected")
    await asyncio.sleep(0.05)
    assert await people(front)
    front.worker.send_media(participant_id, state)
    await until_nobody(front)


async def test_who_never_connects_is_gone_after_a_while(
    front: RunningFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_sessions, "WITHOUT_MEDIA_S", 0.1)
    await opened(front)
    await until_nobody(front)


async def test_a_restarted_worker_ends_sessions_for_they_cannot_go_on(front: RunningFront) -> None:
    _, headers, _ = await opened(front)
    await front.worker.die_and_return()
    await until_nobody(front)
    async with front.http.delete(headers["Location"]) as response:
        assert response.status == 404


async def test_a_closed_room_ends_its_sessions(front: RunningFront) -> None:
    _, ack = await front.joined("studio")
    _, headers, _ = await opened(front)
    bearer = {"Authorization": f"Bearer {ack['host_key']}"}
    async with front.http.delete("/api/rooms/studio", headers=bearer) as response:
        assert response.status == 204
    async with front.http.delete(headers["Location"]) as response:
        assert response.status == 404
    await until_nobody(front)


async def test_sessions_outlive_the_front_process(tmp_path: Path) -> None:
    async with running_front(tmp_path) as first:
        _, headers, _ = await opened(first)
        (participant_id,) = first.worker.participants
        first.worker.send_media(participant_id, "connected")
        await first.close_clients()
        await first.front.stop()
        limits = FrontLimits(resume_window_s=0.2)
        async with running_front(tmp_path, first.workers, limits) as second:
            await asyncio.sleep(0.5)
            assert [one["kind"] for one in await people(second)] == ["whip"]
            fragment = FRAGMENT | {"If-Match": headers["ETag"]}
            where = headers["Location"]
            async with second.http.patch(where, data=TRICKLED, headers=fragment) as response:
                assert response.status == 204
            fragment["If-Match"] = "*"
            async with second.http.patch(where, data=RESTART, headers=fragment) as response:
                assert response.status == 502
            async with second.http.delete(where) as response:
                assert response.status == 200
            await until_nobody(second)


async def test_clients_are_told_of_turn_servers(tmp_path: Path) -> None:
    turn = IceServer(("turn:turn.example:3478",), "ada", base64.b64encode(b'a"b').decode())
    async with running_front(tmp_path, ice_servers=(turn,)) as front:
        _, headers, _ = await opened(front)
        assert headers["Link"] == (
            '<turn:turn.example:3478>; rel="ice-server"; username="ada"; credential="YSJi"; '
            'credential-type="password"'
        )


async def test_there_are_no_more_sessions_than_sockets(tmp_path: Path) -> None:
    async with running_front(tmp_path, limits=FrontLimits(max_sockets=1)) as front:
        assert (await opened(front))[0] == 201
        assert (await opened(front))[0] == 503
