"""The real server under its supervisor: it starts, survives the death of a part, and ends."""

import asyncio
import json
import os
import signal
from typing import Any

import aiohttp
import pytest
import socketio

from tests.support.patience import PATIENCE_S
from tests.support.server import LiveServer


async def get(url: str) -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.json()


async def test_it_answers_on_both_ports_once_it_says_that_it_is_ready(
    live_server: LiveServer,
) -> None:
    for url in (live_server.page_url, live_server.api_url):
        status, health = await get(f"{url}/health/ready")
        assert status == 200
        ports = [worker["udp_port"] for worker in health["workers"]]
        assert ports == live_server.media_ports


async def test_a_killed_worker_is_connected_again_on_its_port(
    server_of_its_own: LiveServer,
) -> None:
    before = server_of_its_own.worker_pid(0)
    os.kill(before, signal.SIGKILL)
    await server_of_its_own.program.line_with("media worker 0 ended: killed by SIGKILL")

    async def is_back() -> bool:
        _, health = await get(f"{server_of_its_own.page_url}/health")
        worker = health["workers"][0]
        return bool(worker["connected"] and worker["pid"] != before)

    async with asyncio.timeout(PATIENCE_S):
        while not await is_back():
            await asyncio.sleep(0.02)
    assert server_of_its_own.worker_pid(0) != before


async def test_a_killed_front_process_is_ready_again_on_its_ports(
    server_of_its_own: LiveServer,
) -> None:
    before, worker = server_of_its_own.front_pid(), server_of_its_own.worker_pid(0)
    os.kill(before, signal.SIGKILL)
    await server_of_its_own.program.line_with("front process ended: killed by SIGKILL")
    async with asyncio.timeout(PATIENCE_S):
        while (await get(f"{server_of_its_own.page_url}/health/ready"))[0] != 200:
            await asyncio.sleep(0.02)
    assert server_of_its_own.front_pid() != before
    assert server_of_its_own.worker_pid(0) == worker


@pytest.mark.server
async def test_all_lines_of_all_its_processes_are_json_where_that_is_wanted() -> None:
    server = await LiveServer.start(
        WEBRTC_HOST="127.0.0.1", WEBRTC_MEDIA_WORKERS="1", LOG_FORMAT="json", LOG_LEVEL="DEBUG"
    )
    try:
        async with socketio.AsyncSimpleClient() as client:
            await client.connect(server.page_url, transports=["websocket"], wait_timeout=PATIENCE_S)
            joined = await client.call("join_room", {"room_id": "studio", "name": "Ada Lovelace"})
            await server.program.line_with('"request": "join_room"')
    finally:
        await server.program.end()
    lines = [json.loads(one) for one in server.program.text.splitlines() if one.startswith("{")]
    others = [one for one in server.program.text.splitlines() if not one.startswith("{")]
    assert [one.partition(":")[0] for one in others] == ["AG06 Mixer is ready"]
    assert {"supervisor", "worker 0", "front"} <= {line["process"] for line in lines}
    (join,) = [line for line in lines if line.get("request") == "join_room"]
    assert join["participant_id"] == joined["participant_id"]
    assert join["room_id"] == "studio"
    assert "Lovelace" not in server.program.text
