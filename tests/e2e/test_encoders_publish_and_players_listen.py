"""WHIP into a room and WHEP out of it, with peers that people use: aiortc, FFmpeg, GStreamer."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives import serialization

from tests.support.http_peers import Peer, rsa_certificate
from tests.support.patience import PATIENCE_S
from tests.support.server import LiveServer

ADA, GRACE, EDSGER = PITCHES = 440, 1000, 2500
SUPPORT = Path(__file__).parents[1] / "support"

pytestmark = pytest.mark.server


@pytest.fixture
async def url(start_server: Callable[..., Awaitable[LiveServer]]) -> str:
    return (await start_server()).api_url


@asynccontextmanager
async def program(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*arguments, stdin=pipe, stdout=pipe)
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()


async def people(url: str) -> list[dict[str, Any]]:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{url}/api/rooms/studio") as response,
    ):
        return (await response.json())["participants"] if response.status == 200 else []


async def test_who_publishes_by_http_is_heard_by_who_listens_by_http(url: str) -> None:
    async with (
        Peer(url, "/whip/studio?name=Ada", ADA) as ada,
        Peer(url, "/whip/studio?name=Grace", GRACE, rsa_key=True),
        Peer(url, "/whep/studio?name=Ear") as ear,
    ):
        await ear.hears(ADA, GRACE, of=PITCHES)
        assert [(one["name"], one["kind"], one["role"]) for one in await people(url)] == [
            ("Ada", "whip", "publisher"),
            ("Grace", "whip", "publisher"),
            ("Ear", "whep", "subscriber"),
        ]
        assert await ada.end() == 200
        await ear.hears(GRACE, of=PITCHES)
        assert [one["name"] for one in await people(url)] == ["Grace", "Ear"]
        assert await ada.end() == 404
    async with asyncio.timeout(PATIENCE_S):  # whose connection ends is gone, too
        while await people(url):
            await asyncio.sleep(0.2)


async def test_ffmpeg_publishes(url: str, tmp_path: Path) -> None:
    certificate = rsa_certificate()  # it is the DTLS server, so that we take RSA as a client
    (tmp_path / "c.pem").write_bytes(certificate._cert.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "k.pem").write_bytes(
        certificate._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    files = [str(tmp_path / "c.pem"), str(tmp_path / "k.pem")]
    script = str(SUPPORT / "ffmpeg_whip.py")
    async with Peer(url, "/whip/studio", GRACE), Peer(url, "/whep/studio") as ear:
        async with program(sys.executable, script, f"{url}/whip/studio", str(ADA), *files):
            await ear.hears(ADA, GRACE, of=PITCHES)
        await ear.hears(GRACE, of=PITCHES)


async def test_gstreamer_publishes_and_listens(url: str) -> None:
    script = str(SUPPORT / "gstreamer_peer.py")
    async with (
        Peer(url, "/whip/studio", ADA) as ada,
        Peer(url, "/whep/studio") as ear,
        program("/usr/bin/python3", script, f"{url}/whip/studio", str(EDSGER)) as speaker,
    ):
        heard = asyncio.create_task(ear.hears(ADA, EDSGER, of=PITCHES))
        gone = asyncio.create_task(speaker.wait())
        await asyncio.wait({heard, gone}, return_when=asyncio.FIRST_COMPLETED)
        if gone.done():
            heard.cancel()
            assert gone.result() == 77
            pytest.skip("GStreamer is not installed: tools/install_test_packages.sh")
        await heard
        gone.cancel()
        await ada.end()
        async with program("/usr/bin/python3", script, f"{url}/whep/studio") as listener:
            assert listener.stdout is not None
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    pitch_hz, level_db = map(float, (await listener.stdout.readline()).split())
                    if abs(pitch_hz - EDSGER) <= 20 and level_db > -40:
                        break
