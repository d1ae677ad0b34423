"""Nothing secret and nothing personal is in any log line, at the lowest level."""

import logging
from pathlib import Path

import pytest

from tests.support.front import running_front
from tests.support.passes import OPERATOR, SECRET, token
from webrtc.log_format import JsonFormatter
from webrtc.settings import Settings

TURN_SECRET = "a-turn-secret-of-the-tests-that-is-long-enough"
NAME, SUBJECT, SDP_MARK = "Ada Lovelace-Byron", "ada@private.example", "the-description-itself"
NOT_OURS = ("engineio.client", "socketio.client", "asyncio", "aiohttp.client")


async def test_a_whole_visit_with_every_mistake(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = token("host", "publish", sub=SUBJECT, jti="the-id-of-the-token")
    secrets = {SECRET, OPERATOR, TURN_SECRET, NAME, SUBJECT, SDP_MARK, "127.0.0.1"}
    secrets |= {good, good.split(".")[2]}
    settings = {"auth_secret": SECRET, "operator_token": OPERATOR}
    turn = {"turn_urls": ("turn:turn.example",), "turn_secret": TURN_SECRET}
    with caplog.at_level(logging.DEBUG):
        async with running_front(tmp_path, **settings, **turn) as front:
            host, ack = await front.joined(token=good, name=NAME)
            secrets |= {ack["resume_token"], ack["ice_servers"][0]["credential"]}
            await host.ok("offer", {"type": "offer", "sdp": SDP_MARK})
            await host.refused("offer", {"type": "offer", "sdp": SDP_MARK, NAME: SECRET})
            await host.refused("join_room", {"room_id": "room", "token": good, "name": NAME})
            stranger = await front.client()
            await stranger.refused("join_room", {"room_id": "room", "token": good[:-3]})
            await stranger.refused("join_room", {"resume_token": ack["resume_token"] + "x"})
            _, hers = await front.joined(token=token("publish", sub=SUBJECT), name=NAME)
            banned = {"participant_id": hers["participant_id"], "ban": True}
            await host.ok("remove_participant", banned)
            for bearer in (good, OPERATOR, OPERATOR + "x"):
                headers = {"Authorization": f"Bearer {bearer}"}
                for path in ("/api/rooms/room", "/api/stats", f"/?token={good}"):
                    async with front.http.get(path, headers=headers) as response:
                        await response.read()
            await host.lose_socket()
    ours = [one for one in caplog.records if not one.name.startswith(NOT_OURS)]
    text = "\n".join(JsonFormatter("front").format(one) for one in ours)
    assert [secret for secret in secrets if secret in text] == []


def test_settings_do_not_show_their_secrets() -> None:
    shown = repr(
        Settings(
            auth_secret=SECRET,
            operator_token=OPERATOR,
            turn_urls=("turn:turn.example",),
            turn_secret=TURN_SECRET,
        )
    )
    assert not any(secret in shown for secret in (SECRET, OPERATOR, TURN_SECRET))
