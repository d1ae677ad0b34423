"""HTTPS with a certificate of our own making, which changes while the server runs."""

import asyncio
import datetime
import ssl
from pathlib import Path

import aiohttp
import pytest

import start_webrtc
from tests.support.front import Client, running_front
from tests.support.patience import PATIENCE_S
from webrtc.certificate_command import make
from webrtc.front_tls import Certificate
from webrtc.settings import StartError
from webrtc.supervisor_ready import until_ready

NOW = datetime.datetime.now(datetime.UTC)


def write(folder: Path, *names: str) -> tuple[Path, Path]:
    chain, key = folder / "cert.pem", folder / "key.pem"
    for path, content in zip((chain, key), make(names or ("localhost",), NOW), strict=True):
        path.write_bytes(content)
    return chain, key


def trusting(chain: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(chain))


async def test_the_whole_front_speaks_https_and_follows_a_new_certificate(tmp_path: Path) -> None:
    chain, key = write(tmp_path, "127.0.0.1")
    files = {"tls_cert": str(chain), "tls_key": str(key)}
    async with running_front(tmp_path, **files) as front:
        url = front.url.replace("http:", "https:")
        old = trusting(chain)
        async with aiohttp.ClientSession(url) as http, http.get("/health", ssl=old) as response:
            assert response.status == 200
        client = Client()
        client.sio.eio.ssl_verify = False
        await client.connect(url)
        await client.ok("join_room", "room")
        write(tmp_path, "127.0.0.1")
        assert front.front.certificate is not None
        assert front.front.certificate.look()
        async with aiohttp.ClientSession(url) as http:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await http.get("/health", ssl=old)
            async with http.get("/health", ssl=trusting(chain)) as response:
                assert response.status == 200
        await client.ok("get_stats")
        await client.sio.disconnect()


def test_half_a_change_is_waited_out(tmp_path: Path) -> None:
    chain, key = write(tmp_path)
    certificate = Certificate(chain, key)
    assert not certificate.look()
    new_chain, new_key = make(("localhost",), NOW)
    chain.write_bytes(new_chain)
    assert not certificate.look()
    key.write_bytes(new_key)
    assert certificate.look()
    assert not certificate.look()
    chain.unlink()
    assert not certificate.look()


@pytest.fixture
def bad_files(tmp_path: Path) -> Path:
    write(tmp_path)
    (tmp_path / "other").mkdir()
    write(tmp_path / "other")
    (tmp_path / "noise.pem").write_bytes(b"\x00noise")
    return tmp_path


@pytest.mark.parametrize(
    ("chain", "key"),
    [
        ("cert.pem", "other/key.pem"),
        ("missing.pem", "key.pem"),
        ("noise.pem", "key.pem"),
        ("cert.pem", "noise.pem"),
        ("key.pem", "cert.pem"),
    ],
)
def test_files_that_cannot_be_used_stop_the_start(
    bad_files: Path,
    chain: str,
    key: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(StartError, match="cannot be used"):
        Certificate(bad_files / chain, bad_files / key)
    monkeypatch.setenv("WEBRTC_TLS_CERT", str(bad_files / chain))
    monkeypatch.setenv("WEBRTC_TLS_KEY", str(bad_files / key))
    assert start_webrtc.main(["--check"]) == 2
    assert "cannot be used" in capsys.readouterr().err


def test_the_command_makes_what_the_server_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["certificate", "--folder", str(tmp_path / "new"), "--name", "mixer.local"]
    assert start_webrtc.main(arguments) == 0
    assert "WEBRTC_TLS_CERT=" in capsys.readouterr().out
    chain, key = tmp_path / "new/cert.pem", tmp_path / "new/key.pem"
    Certificate(chain, key)
    assert key.stat().st_mode & 0o777 == 0o600
    assert start_webrtc.main(arguments) == 2, "nothing is written over"
    assert "remove it first" in capsys.readouterr().err


async def test_the_supervisor_sees_that_a_server_of_https_is_ready(tmp_path: Path) -> None:
    chain, key = write(tmp_path, "mixer.example")
    async with running_front(tmp_path, tls_cert=str(chain), tls_key=str(key)) as front:
        port = int(front.url.rpartition(":")[2])
        async with asyncio.timeout(PATIENCE_S):
            await until_ready("127.0.0.1", port, tls=True)
