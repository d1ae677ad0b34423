from pathlib import Path

import aiohttp
import pytest

from tests.support.front import RunningFront, running_front
from tests.support.raw_socket import SOCKETIO_URL
from webrtc.front_origins import OriginPolicy

OWN = OriginPolicy(frozenset({"https://listed.example"}), (8080, 8081))


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("http://localhost:8081", "localhost:8080", True),
        ("http://localhost:8080", "localhost:8080", True),
        ("https://mixer.example", "mixer.example", True),
        ("http://[::1]:8081", "[::1]:8080", True),
        ("https://listed.example", "localhost:8080", True),
        ("http://localhost:9999", "localhost:8080", False),
        ("http://localhost", "localhost:8080", False),
        ("http://evil.example:8081", "localhost:8080", False),
        ("https://listed.example.evil", "localhost:8080", False),
        ("null", "localhost:8080", False),
        ("", "localhost:8080", False),
        ("http://[", "localhost:8080", False),
        ("http://x:y", "x:8080", False),
    ],
)
def test_own_ports_and_listed_origins_are_allowed(origin: str, host: str, allowed: bool) -> None:
    assert OWN.allows(origin, host) is allowed


def test_a_star_allows_everyone() -> None:
    assert OriginPolicy(frozenset("*"), ()).allows("https://anything.example", "x")


@pytest.mark.parametrize("host", ["x; script-src *", "a b", "x'", "", "[::1", "x\ny", "a,b"])
def test_no_policy_is_made_of_a_host_that_is_none(host: str) -> None:
    assert OWN.signaling_sources(host) == []


def test_sources_are_both_ports_and_the_name_that_was_used() -> None:
    assert set(OWN.signaling_sources("mixer.example:443")) >= {
        "wss://mixer.example:443",
        "ws://mixer.example:8080",
        "https://mixer.example:8081",
        "http://mixer.example:8080",
    }
    assert "ws://[::1]:8080" in OWN.signaling_sources("[::1]:9")


async def test_foreign_pages_get_no_socket_and_cannot_read(front: RunningFront) -> None:
    foreign = {"Origin": "https://evil.example"}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await front.http.ws_connect(SOCKETIO_URL, headers=foreign)
    assert refusal.value.status == 403
    async with front.http.get("/api/rooms", headers=foreign) as response:
        assert "Access-Control-Allow-Origin" not in response.headers
        assert "Origin" in response.headers["Vary"]


async def test_pages_of_the_other_port_and_listed_ones_are_served(tmp_path: Path) -> None:
    async with running_front(
        tmp_path, static_port=4321, cors_origins=("https://listed.example",)
    ) as front:
        for origin in ("http://127.0.0.1:4321", "https://listed.example"):
            async with front.http.ws_connect(SOCKETIO_URL, headers={"Origin": origin}):
                pass
            async with front.http.get("/api/rooms", headers={"Origin": origin}) as response:
                assert response.headers["Access-Control-Allow-Origin"] == origin
            asked = {"Origin": origin, "Access-Control-Request-Method": "DELETE"}
            async with front.http.options("/api/rooms/x", headers=asked) as response:
                assert response.status == 204
                assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
                assert response.headers["Access-Control-Allow-Origin"] == origin


async def test_pages_of_other_origins_may_use_every_method_that_there_is(
    front: RunningFront,
) -> None:
    async with front.http.get("/api/openapi.json") as response:
        paths = (await response.json())["paths"]
    methods = {method.upper() for operations in paths.values() for method in operations}
    assert {"GET", "PUT", "DELETE"} <= methods
    asked = {"Origin": front.url, "Access-Control-Request-Method": "PUT"}
    async with front.http.options("/api/rooms/x/scenes/y", headers=asked) as response:
        allowed = response.headers["Access-Control-Allow-Methods"].split(", ")
    assert methods <= set(allowed)


async def test_errors_can_be_read_by_allowed_pages_too(front: RunningFront) -> None:
    async with front.http.get("/api/rooms/none", headers={"Origin": front.url}) as response:
        assert response.status == 404
        assert response.headers["Access-Control-Allow-Origin"] == front.url


async def test_foreign_pages_change_nothing_by_requests_that_browsers_send_unasked(
    front: RunningFront,
) -> None:
    """Text sent by POST takes no preflight request; its answer is kept from the page."""
    body, simple = '{"room_id": "theirs"}', {"Content-Type": "text/plain"}
    for origin in ("https://evil.example", "null"):
        headers = {**simple, "Origin": origin}
        async with front.http.post("/api/rooms", data=body, headers=headers) as response:
            assert (response.status, (await response.json())["reason"]) == (403, "forbidden")
    async with front.http.get("/api/rooms") as response:
        assert (await response.json())["rooms"] == []
    for headers in (simple, {**simple, "Origin": front.url}):
        async with front.http.post("/api/rooms", data="{}", headers=headers) as response:
            assert response.status == 201
