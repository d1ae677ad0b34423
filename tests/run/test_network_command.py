"""`start_webrtc.py network`: simulated networks of a running server, from the command line."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import start_webrtc
from tests.support.front import RunningFront, running_front


@pytest.fixture
async def trials(tmp_path: Path) -> AsyncIterator[RunningFront]:
    async with running_front(tmp_path, simulated_network="clean") as front:
        yield front


async def status(url: str, *arguments: str) -> int:
    return await asyncio.to_thread(start_webrtc.main, ["network", url, *arguments])


async def test_it_changes_the_room_and_one_alone_and_shows_both(
    trials: RunningFront, capsys: pytest.CaptureFixture[str]
) -> None:
    host, ack = await trials.joined("studio", name="Grace")
    _, hers = await trials.joined("studio", name="Ada")
    key, anna = (f"--key={ack['host_key']}",), hers["participant_id"]
    assert await status(trials.url, "studio") == 0
    assert capsys.readouterr().out == "everybody: as it is\n"
    assert await status(trials.url, "studio", "wifi", *key) == 0
    assert (
        await status(trials.url, "studio", "50%", "--participant", "Ada", "--seed", "7", *key) == 0
    )
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "everybody: wifi, seed 0",
        f"{anna}: 50%, seed 7",
    ]
    await host.event("participant_updated", lambda it: it["network"] is not None)
    assert await status(trials.url, "studio", "off", "--participant", anna, *key) == 0
    assert await status(trials.url, "studio", "off", *key) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "everybody: as it is"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["studio", "50%"], "host key"),
        (["nowhere", "50%"], "no such room"),
        (["studio", "50%", "--participant", "Nobody"], "called Nobody"),
    ],
)
async def test_refusals_are_told(
    trials: RunningFront,
    arguments: list[str],
    word: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await trials.joined("studio")
    assert await status(trials.url, *arguments) == 2
    assert word in capsys.readouterr().err


async def test_a_wrong_network_and_a_server_that_is_not_there(
    trials: RunningFront, capsys: pytest.CaptureFixture[str]
) -> None:
    _, ack = await trials.joined("studio")
    assert await status(trials.url, "studio", "awful", f"--key={ack['host_key']}") == 2
    assert "'awful'" in capsys.readouterr().err
    for address in ("http://127.0.0.1:1", "nonsense"):
        assert await status(address, "studio") == 2
        assert "does not answer" in capsys.readouterr().err
