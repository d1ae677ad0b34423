"""Headers of every answer, and what pages of other origins may do."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from webrtc.api.security import Security
from webrtc.errors import ClientError
from webrtc.front_origins import OriginPolicy

LISTED = "https://listed.example"
FOREIGN = "https://evil.example"
SECURITY = Security(OriginPolicy(frozenset({LISTED}), (8080,)))


def asked(
    origin: str | None, method: str = "GET", path: str = "/api/rooms", **headers: str
) -> web.Request:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if origin is not None:
        headers["Origin"] = origin
    return make_mocked_request(method, path, headers={"Host": "mixer.example", **headers})


async def headers_of(request: web.Request, **given: str) -> dict[str, str]:
    response = web.Response(headers=given)
    await SECURITY.add_headers(request, response)
    return dict(response.headers)


async def answered(request: web.Request) -> web.StreamResponse:
    """Return the answer; 418 is the handler's."""

    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(status=418)

    return await SECURITY.middleware()(request, handler)


@pytest.mark.parametrize("origin", [None, LISTED, FOREIGN])
@pytest.mark.parametrize("path", ["/", "/api/rooms", "/client/room.js"])
async def test_no_answer_is_guessed_at_or_tells_where_somebody_came_from(
    origin: str | None, path: str
) -> None:
    headers = await headers_of(asked(origin, path=path), Server="Python/3")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Server" not in headers


@pytest.mark.parametrize(
    "path", ["/webrtc_client.js", "/client/room.js", "/vendor/x.js", "/hls/abc/index.m3u8"]
)
async def test_what_is_meant_for_other_peoples_pages_is_open_to_all(path: str) -> None:
    for origin in (None, LISTED, FOREIGN):
        headers = await headers_of(asked(origin, path=path))
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert "Vary" not in headers, "one copy is good for everybody"


async def test_other_answers_are_read_by_pages_that_may_use_the_server() -> None:
    headers = await headers_of(asked(LISTED), Vary="Accept")
    assert headers["Access-Control-Allow-Origin"] == LISTED
    readable = set(headers["Access-Control-Expose-Headers"].split(", "))
    whip = {"Location", "ETag", "Link", "Accept-Patch"}
    files = {"Content-Range", "Content-Disposition"}
    assert readable == whip | files | {"Retry-After", "X-Request-Id"}


async def test_foreign_pages_read_nothing_and_caches_keep_that_apart() -> None:
    headers = await headers_of(asked(FOREIGN))
    assert not any(name.startswith("Access-Control") for name in headers)
    assert headers["Vary"] == "Origin"
    headers = await headers_of(asked(None))
    assert not any(name.startswith("Access-Control") for name in headers)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
async def test_foreign_pages_change_nothing(method: str) -> None:
    with pytest.raises(ClientError) as refusal:
        await answered(asked(FOREIGN, method))
    assert refusal.value.reason == "forbidden"
    for origin in (None, LISTED, "https://mixer.example"):
        assert (await answered(asked(origin, method))).status == 418


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_whoever_only_looks_is_answered(method: str) -> None:
    for origin in (None, LISTED, FOREIGN):
        assert (await answered(asked(origin, method))).status == 418


async def test_a_preflight_request_is_answered_for_pages_that_may_use_the_server() -> None:
    wanted = {"Access_Control_Request_Method": "PATCH"}
    response = await answered(asked(LISTED, "OPTIONS", **wanted))
    assert response.status == 204
    assert "PATCH" in response.headers["Access-Control-Allow-Methods"].split(", ")
    assert {"Authorization", "Content-Type", "If-Match", "Range"} <= set(
        response.headers["Access-Control-Allow-Headers"].split(", ")
    )
    assert 60 <= int(response.headers["Access-Control-Max-Age"]) <= 7200
    refused = await answered(asked(FOREIGN, "OPTIONS", **wanted))
    assert refused.status == 418
    assert "Access-Control-Allow-Methods" not in refused.headers
    assert (await answered(asked(LISTED, "POST", **wanted))).status == 418
