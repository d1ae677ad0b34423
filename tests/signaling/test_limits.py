"""What a full server answers: no, why, and when to ask again."""

import asyncio
from pathlib import Path

import pytest

from tests.support.front import Client, running_front
from tests.support.passes import SECRET, token
from tests.support.patience import PATIENCE_S
from webrtc.front_limits import FrontLimits
from webrtc.front_workers import FULL_AFTER


async def problem(client: Client, **request: object) -> tuple[str, float]:
    ack = await client.call("join_room", {"room_id": "room", **request})
    return ack["error"]["reason"], ack["error"]["retry_after"]


async def test_a_full_server_takes_nobody_until_somebody_leaves(tmp_path: Path) -> None:
    async with running_front(tmp_path, limits=FrontLimits(max_participants=1)) as front:
        alice, _ = await front.joined("elsewhere")
        bob = await front.client()
        assert await problem(bob) == ("server_full", 10.0)
        await alice.ok("leave_room")
        await bob.ok("join_room", "room")


async def test_a_tenant_has_so_many_rooms_and_people(tmp_path: Path) -> None:
    limits = FrontLimits(max_rooms_per_tenant=1, max_participants_per_tenant=2)

    def asking(room: str, tenant: str) -> dict[str, str]:
        return {"room_id": room, "token": token("host", room="*", tenant=tenant)}

    async with running_front(tmp_path, limits=limits, auth_secret=SECRET) as front:
        alice, _ = await front.joined(**asking("a", "acme"))
        await front.joined(**asking("a", "acme"))
        guest = await front.client()
        assert await problem(guest, **asking("b", "acme")) == ("tenant_full", 10.0)
        assert await problem(guest, **asking("a", "acme")) == ("tenant_full", 10.0)
        headers = {"Authorization": f"Bearer {asking('b', 'acme')['token']}"}
        async with front.http.post("/api/rooms", json={}, headers=headers) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "10")
        other, _ = await front.joined(**asking("b", "another"))
        await alice.ok("leave_room")
        await guest.ok("join_room", asking("a", "acme"))
        assert other.sio.connected


async def test_a_room_has_room_for_so_many_voices(tmp_path: Path) -> None:
    async with running_front(tmp_path, limits=FrontLimits(max_publishers_per_room=1)) as front:
        host, _ = await front.joined()
        guest = await front.client()
        assert await problem(guest) == ("room_full", 10.0)
        ack = await guest.ok("join_room", {"room_id": "room", "role": "subscriber"})
        speaker = {"participant_id": ack["participant_id"], "role": "speaker"}
        assert await host.refused("set_role", speaker) == "room_full"


async def test_an_address_that_asks_too_often_is_told_to_wait(tmp_path: Path) -> None:
    limits = FrontLimits(request_rate_per_s=0.1, request_burst=2)
    proxied = {"X-Forwarded-For": "198.51.100.7"}
    async with running_front(tmp_path, limits=limits, trusted_proxies=("127.0.0.1/32",)) as front:
        for expected in (200, 200, 429):
            async with front.http.get("/api/rooms", headers=proxied) as response:
                assert response.status == expected
        assert float(response.headers["Retry-After"]) > 0
        assert (await front.http.get("/health", headers=proxied)).status == 200
        assert (await front.http.get("/api/rooms")).status == 200, "another address"


async def test_turn_credentials_come_with_the_seat(tmp_path: Path) -> None:
    secret = "a-secret-of-the-tests-that-is-long-enough"
    turn = {"turn_urls": ("turn:turn.example",), "turn_secret": secret}
    async with running_front(tmp_path, **turn) as front:
        _, ack = await front.joined()
        (server,) = ack["ice_servers"]
        assert server["urls"] == ["turn:turn.example"]
        assert server["username"].endswith(":" + ack["participant_id"])


async def test_a_turn_server_that_is_gone_keeps_nobody_out(tmp_path: Path) -> None:
    """Nobody but the clients ever talks to it; whom UDP reaches does without."""
    secret = "a-secret-of-the-tests-that-is-long-enough"
    gone = {"turn_urls": ("turn:no-such-host.invalid",), "turn_secret": secret}
    async with running_front(tmp_path, **gone) as front:
        client, ack = await front.joined()
        assert ack["ice_servers"]
        assert (await client.ok("offer", {"type": "offer", "sdp": "v=0"}))["type"] == "answer"


async def test_a_server_without_time_to_spare_takes_nobody_for_a_while(tmp_path: Path) -> None:
    async with running_front(tmp_path) as front:
        inside, _ = await front.joined()
        workers = front.front.desk.workers

        async def second(busy_s: float) -> None:
            before = workers.stats(0)
            uptime_s, cpu_s = (0.0, 0.0) if before is None else (before.uptime_s, before.cpu_s)
            front.worker.send_stats(uptime_s=uptime_s + 1, cpu_s=cpu_s + busy_s)
            async with asyncio.timeout(PATIENCE_S):
                while workers.stats(0) is before:
                    await asyncio.sleep(0)

        for _ in range(FULL_AFTER):
            await (await front.client()).ok("join_room", "room")
            await second(busy_s=1.0)
        await second(busy_s=1.0)
        guest = await front.client()
        assert await problem(guest) == ("server_full", 10.0)
        # It stays ready: else those who are with it would be sent to the next, and so on.
        assert (await front.http.get("/health/ready")).status == 200
        await inside.ok("get_stats")
        await second(busy_s=0.5)
        await guest.ok("join_room", "room")


async def test_a_worker_that_leaves_something_out_takes_nobody(tmp_path: Path) -> None:
    async with running_front(tmp_path) as front:
        inside, _ = await front.joined()
        guest, workers = await front.client(), front.front.desk.workers
        for shedding, expected in ((1, True), (0, False)):
            front.worker.send_stats(shedding=shedding)
            async with asyncio.timeout(PATIENCE_S):
                while workers.is_overloaded(0) != expected:
                    await asyncio.sleep(0)
            if expected:
                assert await problem(guest) == ("server_full", 10.0)
                await inside.ok("get_stats")
        await guest.ok("join_room", "room")


@pytest.mark.parametrize("said", [b"", b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_a_connection_that_asks_nothing_is_closed(tmp_path: Path, said: bytes) -> None:
    async with running_front(tmp_path, limits=FrontLimits(idle_connection_s=0.05)) as front:
        client, _ = await front.joined()
        host, port = front.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(said)
        async with asyncio.timeout(PATIENCE_S):
            assert await reader.read() == b""
        writer.close()
        await client.ok("set_muted", True)  # sockets have pings, and stay
