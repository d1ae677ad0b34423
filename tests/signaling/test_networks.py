"""Networks made worse on purpose, by socket and by REST."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.front import RunningFront, running_front
from webrtc.control.messages import SimulatedNetwork

WORSE = {"conditions": "50%", "seed": 7}


@pytest.fixture
async def trials(tmp_path: Path) -> AsyncIterator[RunningFront]:
    async with running_front(tmp_path, simulated_network="clean") as front:
        yield front


async def test_an_engineer_changes_somebodys_network_and_everybody_is_told(
    trials: RunningFront,
) -> None:
    host, ack = await trials.joined(name="host")
    anna, hers = await trials.joined(name="Anna")
    anna_id = hers["participant_id"]
    assert (ack["simulates"], ack["network"]) == (True, None)
    done = await host.ok("set_network", {"participant_id": anna_id, "network": "50%", "seed": 7})
    assert (done["participant_id"], done["network"]) == (anna_id, WORSE)
    for client in (host, anna):
        told = await client.event("participant_updated", lambda it: it["network"] is not None)
        assert (told["participant_id"], told["network"]) == (anna_id, WORSE)
    await trials.worker.wait_until(
        lambda it: it.participants[anna_id].network == SimulatedNetwork("50%", 7)
    )
    _, late = await trials.joined()
    shown = {one["participant_id"]: one["network"] for one in late["participants"]}
    assert shown[anna_id] == WORSE
    await host.ok("set_network", {"participant_id": anna_id, "network": "off"})
    await anna.event("participant_updated", lambda it: it["network"] is None)
    await trials.worker.wait_until(lambda it: it.participants[anna_id].network is None)


async def test_a_rooms_network_is_everybodys(trials: RunningFront) -> None:
    host, _ = await trials.joined()
    anna, _ = await trials.joined()
    await host.ok("set_network", {"network": "loss=5,jitter=20"})
    wanted = {"conditions": "loss=5,jitter=20", "seed": 0}
    assert (await anna.event("room_updated"))["network"] == wanted
    await trials.worker.wait_until(
        lambda it: it.rooms["room"].network == SimulatedNetwork("loss=5,jitter=20", 0)
    )
    _, late = await trials.joined()
    assert late["network"] == wanted
    await host.ok("set_room", {"automix": True})  # which leaves the network alone
    assert (await anna.event("room_updated"))["network"] == wanted
    await host.ok("set_network", {"network": "off"})
    assert "network" not in await anna.event("room_updated")


@pytest.mark.parametrize(
    "payload",
    [
        {"network": "awful"},
        {"network": "loss=101"},
        {"network": ""},
        {"network": "x" * 201},
        {"network": "50%", "seed": -1},
        {},
    ],
)
async def test_what_is_no_network_is_refused(trials: RunningFront, payload: dict[str, Any]) -> None:
    host, _ = await trials.joined()
    assert await host.refused("set_network", payload) == "bad_message"


async def test_it_takes_an_engineer_and_somebody_who_is_there(trials: RunningFront) -> None:
    host, _ = await trials.joined()
    anna, hers = await trials.joined()
    _, other = await trials.joined("elsewhere")
    own = {"participant_id": hers["participant_id"], "network": "50%"}
    assert await anna.refused("set_network", own) == "forbidden"
    for name in ("nobody", other["participant_id"]):
        wanted = {"participant_id": name, "network": "50%"}
        assert await host.refused("set_network", wanted) == "participant_not_found"


async def test_by_rest(trials: RunningFront) -> None:
    _, ack = await trials.joined()
    anna, hers = await trials.joined()
    path, anna_id = "/api/rooms/room/network", hers["participant_id"]
    for secret, status in (("", 401), ("wrong", 401), (hers["resume_token"], 403)):
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        async with trials.http.put(path, json={"network": "50%"}, headers=headers) as answer:
            assert answer.status == status
    for secret in (ack["host_key"], ack["resume_token"]):
        headers = {"Authorization": f"Bearer {secret}"}
        wanted = {"participant_id": anna_id, "network": "50%", "seed": 7}
        async with trials.http.put(path, json=wanted, headers=headers) as answer:
            assert answer.status == 200
            assert (await answer.json())["network"] == WORSE
    await anna.event("participant_updated", lambda it: it["network"] == WORSE)
    async with trials.http.put(path, json={"network": "wifi"}, headers=headers) as answer:
        assert answer.status == 200
    async with trials.http.get(path) as answer:
        assert await answer.json() == {
            "simulates": True,
            "network": {"conditions": "wifi", "seed": 0},
            "participants": {anna_id: WORSE},
        }
    async with trials.http.put(path, json={"network": "awful"}, headers=headers) as answer:
        assert answer.status == 400


async def test_it_is_off_unless_the_operator_says_otherwise(front: RunningFront) -> None:
    host, ack = await front.joined()
    assert (ack["simulates"], ack["network"]) == (False, None)
    assert await host.refused("set_network", {"network": "50%"}) == "not_simulating"
    headers = {"Authorization": f"Bearer {ack['host_key']}"}
    path = "/api/rooms/room/network"
    async with front.http.put(path, json={"network": "50%"}, headers=headers) as answer:
        assert answer.status == 403
        assert (await answer.json())["reason"] == "not_simulating"


async def test_what_the_operator_simulates_is_shown_as_every_rooms(tmp_path: Path) -> None:
    async with running_front(tmp_path, simulated_network="mobile") as front:
        host, ack = await front.joined()
        everywhere = {"conditions": "mobile", "seed": 0}
        assert ack["network"] == everywhere
        await host.ok("set_network", {"network": "clean"})
        assert (await host.event("room_updated"))["network"]["conditions"] == "clean"
        await host.ok("set_network", {"network": "off"})
        assert (await host.event("room_updated"))["network"] == everywhere
