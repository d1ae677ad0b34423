import asyncio
import logging
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.support.front import RunningFront
from tests.support.patience import PATIENCE_S
from webrtc.api import bodies
from webrtc.errors import REASONS


async def check(response_: object, status: int, reason: str) -> dict[str, object]:
    async with response_ as response:  # type: ignore[attr-defined]
        assert response.status == status
        assert response.content_type == "application/problem+json"
        body: dict[str, object] = await response.json(content_type=None)
        assert body["status"] == status
        assert body["reason"] == reason
        assert body["reason"] in REASONS
        assert body["title"]
        assert body["detail"]
        return body


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/api", "/api/nowhere", "/api/rooms/", "/api/rooms/a/b", "/../settings.py"],
)
async def test_unknown_paths(front: RunningFront, path: str) -> None:
    await check(front.http.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/rooms", {"GET", "HEAD", "POST"}),
        ("POST", "/health", {"GET", "HEAD"}),
        ("DELETE", "/api/stats", {"GET", "HEAD"}),
        ("POST", "/index.html", {"GET", "HEAD"}),
    ],
)
async def test_unknown_methods_say_which_are_known(
    front: RunningFront, method: str, path: str, allowed: set[str]
) -> None:
    async with front.http.request(method, path) as response:
        assert response.status == 405
        assert set(response.headers["Allow"].replace(" ", "").split(",")) >= allowed - {"HEAD"}
    await check(front.http.request(method, path), 405, "method_not_allowed")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"room_id":"\xff"}',
        b'{"room_id":1}',
        b'{"room_id":"a b"}',
        b'{"room_id":"a\\n"}',
        b'{"unknown":1}',
        b'{"room_id":"a"}{}',
        b"[" * 60_000,
        b'{"room_id":' * 5_000,
        b"\x00",
    ],
    ids=repr,
)
async def test_malformed_bodies(front: RunningFront, body: bytes) -> None:
    await check(front.http.post("/api/rooms", data=body), 400, "bad_message")


async def test_bodies_that_are_too_large(front: RunningFront) -> None:
    await check(front.http.post("/api/rooms", data=b" " * 100_000), 413, "too_large")


async def test_our_own_defects_are_logged_and_not_told(
    front: RunningFront, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def planted() -> None:
        raise RuntimeError("planted, with secrets")

    monkeypatch.setattr(front.front.desk.conference.store, "rooms", planted)
    with caplog.at_level(logging.ERROR):
        body = await check(front.http.get("/api/rooms"), 500, "internal_error")
    assert "secrets" not in str(body)
    assert "planted, with secrets" in caplog.text


async def test_an_answer_that_nobody_waits_for_is_no_defect(
    front: RunningFront, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def planted() -> None:
        raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")

    monkeypatch.setattr(front.front.desk.conference.store, "rooms", planted)
    with caplog.at_level(logging.WARNING):
        async with front.http.get("/api/rooms"):
            pass
    assert caplog.text == ""


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /health HTTP/9.9\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: \xff\xff\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x; script-src *\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x:99999999\r\nOrigin: http://[::1\r\n\r\n",
        b'GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: \xff,,W/,"\r\n\r\n',
        b"GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: ;;q=x,\xff\r\n\r\n",
    ],
)
async def test_http_that_is_none_is_answered_and_the_server_lives(
    front: RunningFront, request_: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = front.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request_)
    async with asyncio.timeout(PATIENCE_S):
        answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    assert answer.startswith(b"HTTP/1.")
    assert not answer.startswith(b"HTTP/1.1 5")
    assert b"script-src *" not in answer
    assert "Traceback" not in caplog.text
    async with front.http.get("/health") as response:
        assert response.status == 200


@pytest.mark.parametrize("path", ["/api/rooms", "/whip/room"])
async def test_a_body_that_does_not_come_is_not_waited_for(
    front: RunningFront, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(bodies, "WITHIN_S", 0.05)

    async def never() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    headers = {"Content-Type": "application/sdp"}
    await check(front.http.post(path, data=never(), headers=headers), 408, "bad_message")


BODIES = {
    "no gzip": b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nabcde",
    "no deflate": b"Content-Encoding: deflate\r\nContent-Length: 5\r\n\r\nabcde",
    "no chunk": b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n|ZZ\r\n",
    "a chunk without end": b"Transfer-Encoding: chunked\r\n\r\n2\r\n|{}{}{}\r\n0\r\n\r\n",
    "a part": b"Content-Length: 10\r\n\r\n{",
}


@pytest.mark.parametrize("path", [b"/api/rooms", b"/whip/room", b"/nowhere"])
@pytest.mark.parametrize("body", BODIES)
async def test_bodies_that_are_none_are_no_defect_of_ours(
    front: RunningFront, caplog: pytest.LogCaptureFixture, path: bytes, body: str
) -> None:
    host, port = front.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    kind = b"Host: x\r\nConnection: close\r\nContent-Type: application/sdp\r\n"
    head, _, tail = BODIES[body].partition(b"|")
    writer.write(b"POST " + path + b" HTTP/1.1\r\n" + kind + head)
    await writer.drain()
    async with front.http.get("/health") as response:  # meanwhile the head has been read
        assert response.status == 200
    writer.write(tail)
    writer.write_eof()
    async with asyncio.timeout(PATIENCE_S):
        answer = await reader.read()
    writer.close()
    assert answer == b"" or answer.split(b" ", 2)[1] in (b"400", b"404", b"405"), answer
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
