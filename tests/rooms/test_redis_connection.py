import asyncio
import logging
import socket

import pytest

from rooms import redis_line
from rooms.redis_connection import RedisAddress, connect, locate
from rooms.redis_line import RedisAwayError, RedisLine
from tests.support.patience import PATIENCE_S
from tests.support.redis_server import RedisServer, Sentinel


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://a", RedisAddress(nodes=(("a", 6379),))),
        ("redis://a:7/3", RedisAddress(nodes=(("a", 7),), db=3)),
        ("redis://[::1]:7/", RedisAddress(nodes=(("::1", 7),))),
        (
            "redis://anna:p%40ss@a",
            RedisAddress(nodes=(("a", 6379),), username="anna", password="p@ss"),
        ),
        ("redis://:secret@a", RedisAddress(nodes=(("a", 6379),), password="secret")),
        ("rediss://a", RedisAddress(nodes=(("a", 6379),), tls=True)),
        (
            "rediss://a?ssl_ca_certs=/etc/ca.pem",
            RedisAddress(nodes=(("a", 6379),), tls=True, ca_certs="/etc/ca.pem"),
        ),
        ("unix:///run/redis.sock?db=2", RedisAddress("unix", path="/run/redis.sock", db=2)),
        (
            "redis+sentinel://a,b:7/main/1",
            RedisAddress("sentinel", (("a", 26379), ("b", 7)), service="main", db=1),
        ),
        (
            "rediss+cluster://:x@a:1,b:2",
            RedisAddress("cluster", (("a", 1), ("b", 2)), password="x", tls=True),
        ),
    ],
)
def test_addresses_are_read(url, address):
    assert RedisAddress.parse(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a:6379",
        "http://a",
        "redis://",
        "redis://a,b",
        "redis://a:port",
        "redis://a:99999",
        "redis://a/x",
        "redis://a/0/1",
        "redis://a/²",
        "redis://a?db=1",
        "redis://a#x",
        "redis+sentinel://a",
        "redis+sentinel://a/",
        "redis+cluster://a/1",
        "redis+cluster://a,,b",
        "unix://host/path",
        "unix:",
    ],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ValueError, match="a Redis URL such as"):
        RedisAddress.parse(url)


def test_a_password_is_shown_nowhere():
    address = RedisAddress.parse("redis+sentinel://anna:geheim@a,b/main")
    assert "geheim" not in f"{address} {address!r}"
    assert str(address) == "sentinel a:26379,b:26379/main"
    with pytest.raises(ValueError) as caught:  # noqa: PT011 — its text is what is looked at
        RedisAddress.parse("redis://:geheim@a,b")
    assert "geheim" not in str(caught.value)


async def test_a_server_answers_who_knows_its_password():
    async with RedisServer("--requirepass", "geheim") as server:
        url = f"redis://:geheim@127.0.0.1:{server.port}/1"
        client = connect(RedisAddress.parse(url))
        await client.set("key", b"\xff")
        assert await client.get("key") == b"\xff"
        await client.aclose()
        assert await locate(RedisAddress.parse(url)) == ("127.0.0.1", server.port)


async def test_sentinels_name_the_master():
    async with RedisServer() as server, Sentinel(server.port) as sentinel:
        address = RedisAddress.parse(sentinel.url)
        assert await locate(address) == ("127.0.0.1", server.port)
        client = connect(address)
        await client.set("key", 1)
        await client.aclose()
        direct = connect(RedisAddress.parse(server.url))
        assert await direct.get("key") == b"1"
        await direct.aclose()


async def test_names_that_nobody_resolves_for_a_while_are_asked_for_again(monkeypatch, caplog):
    monkeypatch.setattr(redis_line, "RETRY_S", 0.01)
    asked = 0
    async with RedisServer() as server:
        address = RedisAddress(nodes=(("redis.example", server.port),))

        async def find():
            nonlocal asked
            asked += 1
            if asked < 4:
                raise socket.gaierror("Temporary failure in name resolution")
            return "127.0.0.1", server.port

        with caplog.at_level(logging.WARNING):
            line = RedisLine(address, find, (), print)
            with pytest.raises(RedisAwayError):
                await line.request("PING")
            async with asyncio.timeout(PATIENCE_S):
                await line.there.wait()
        assert await line.request("PING") == b"PONG"
        assert caplog.text.count("no Redis") == 1
        await line.close()
