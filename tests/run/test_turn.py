"""Credentials for TURN servers, as coturn checks them."""

import base64
import hashlib
import hmac

from webrtc.settings_texts import IceServer
from webrtc.turn import GOOD_FOR_S, IceServers

SECRET = "a-secret-of-the-tests-that-is-long-enough"
STUN = IceServer(("stun:stun.example",))


def test_credentials_are_what_the_turn_server_computes() -> None:
    servers = IceServers((STUN,), ("turn:turn.example",), SECRET).of("ada", now=1000.9)
    assert servers[0] is STUN
    turn = servers[1]
    assert turn.urls == ("turn:turn.example",)
    assert turn.username == f"{1000 + GOOD_FOR_S}:ada"
    digest = hmac.digest(SECRET.encode(), turn.username.encode(), hashlib.sha1)
    assert turn.credential == base64.b64encode(digest).decode()
    assert turn.credential not in repr(servers)


def test_everybody_gets_their_own() -> None:
    servers = IceServers((), ("turn:turn.example",), SECRET)
    (one,), (two,) = servers.of("ada", 0), servers.of("bob", 0)
    assert one.credential != two.credential


def test_without_a_secret_there_is_nothing_to_hand_out() -> None:
    assert IceServers((STUN,)).of("ada", 0) == [STUN]
