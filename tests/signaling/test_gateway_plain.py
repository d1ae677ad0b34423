"""Clients of the gateway's old kind, as the front process lets them in; the worker is a fake."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.front import RunningFront, running_front
from tests.support.passes import SECRET
from webrtc.control.messages import PlainClient, UdpClient

HOST = 0x7F000001


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[RunningFront]:
    async with running_front(tmp_path, udp_gateway_port=5002, udp_plain_room="hall") as front:
        yield front


def people(front: RunningFront) -> list[str]:
    return list(front.worker.participants)


async def test_it_becomes_a_participant_of_the_one_room(hall: RunningFront) -> None:
    host, _ = await hall.joined("hall")
    for _ in range(3):  # it goes on asking until it is known
        hall.worker.send(PlainClient("Client_1", HOST))
    joined = await host.event("participant_joined")
    assert joined["name"] == "Client_1"
    shown = await host.event("participant_updated", lambda it: it["kind"] == "udp")
    assert "Client_1" not in {shown["participant_id"]}
    await hall.worker.wait_until(
        lambda it: (
            it.participants[joined["participant_id"]].udp == UdpClient("Client_1", "pcm", HOST)
        )
    )
    assert len(people(hall)) == 2


@pytest.mark.slow
async def test_who_falls_silent_has_left_and_may_come_again(hall: RunningFront) -> None:
    host, _ = await hall.joined("hall")
    for _ in range(2):
        hall.worker.send(PlainClient("Client_1", HOST))
        name = (await host.event("participant_joined"))["participant_id"]
        await hall.worker.wait_until(lambda it, name=name: it.participants[name].udp is not None)
        hall.worker.send_media(name, "connected")
        await asyncio.sleep(0)
        hall.worker.send_media(name, "disconnected")
        left = await host.event("participant_left")
        assert left == {"participant_id": name, "reason": "timeout"}
        await hall.worker.wait_until(lambda it, name=name: name not in it.participants)


async def test_who_never_sends_again_leaves(hall: RunningFront) -> None:
    host, _ = await hall.joined("hall")
    hall.worker.send(PlainClient("Client_1", HOST))
    await host.event("participant_updated", lambda it: it["kind"] == "udp")
    await hall.front.plain.look(asyncio.get_running_loop().time() + 11)
    assert (await host.event("participant_left"))["reason"] == "timeout"


async def test_a_name_that_is_none_lets_nobody_in(hall: RunningFront) -> None:
    host, _ = await hall.joined("hall")
    hall.worker.send(PlainClient("x" * 65, HOST))
    hall.worker.send(PlainClient("Ada", HOST))
    assert (await host.event("participant_joined"))["name"] == "Ada"
    assert len(people(hall)) == 2


async def test_a_ban_keeps_them_out(hall: RunningFront) -> None:
    host, _ = await hall.joined("hall")
    hall.worker.send(PlainClient("Client_1", HOST))
    name = (await host.event("participant_joined"))["participant_id"]
    await host.event("participant_updated", lambda it: it["kind"] == "udp")
    await host.ok("remove_participant", {"participant_id": name, "ban": True})
    await host.event("participant_left")
    await hall.front.plain.look(asyncio.get_running_loop().time())
    hall.worker.send(PlainClient("Client_1", HOST))
    hall.worker.send(PlainClient("Client_2", HOST))
    await hall.front.plain.look(asyncio.get_running_loop().time())
    assert len(people(hall)) == 1


@pytest.mark.parametrize("settings", [{}, {"udp_plain_room": "hall", "auth_secret": SECRET}])
async def test_nobody_comes_where_the_operator_did_not_say_so_or_wants_tokens(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    async with running_front(tmp_path, udp_gateway_port=5002, **settings) as front:
        front.worker.send(PlainClient("Client_1", HOST))
        async with front.http.get("/health") as answer:  # the word has been heard by then
            assert answer.status == 200
        assert people(front) == []
