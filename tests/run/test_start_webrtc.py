"""What an operator meets on the command line: one clear sentence and exit status 2."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from webrtc.settings_table import VARIABLES

ROOT = Path(__file__).resolve().parents[2]


def start(
    *arguments: str,
    script: Path = ROOT / "start_webrtc.py",
    python: str = sys.executable,
    **environ: str,
) -> subprocess.CompletedProcess[str]:
    inherited = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("WEBRTC_", "REDIS_", "LOG_LEVEL"))
    }
    return subprocess.run(
        [python, str(script), *arguments],
        env={**inherited, **environ},
        cwd="/",  # nothing depends on where it is started
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def sentences(ended: subprocess.CompletedProcess[str]) -> list[str]:
    """Lines on stderr, apart from the warning that the page's packages are not installed."""
    return [line for line in ended.stderr.splitlines() if "npm package" not in line]


def test_help_documents_every_setting() -> None:
    ended = start("--help")
    assert ended.returncode == 0
    for name in [item.name for item in VARIABLES]:
        assert name in ended.stdout
    assert "--check" in ended.stdout


def test_check_accepts_good_settings_and_starts_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        ended = start("--check", WEBRTC_HOST="127.0.0.1", WEBRTC_STATIC_PORT=port)
    assert (ended.returncode, ended.stdout) == (0, "The settings are usable.\n")


@pytest.mark.parametrize("arguments", [["--check"], []])
def test_a_bad_setting(arguments: list[str]) -> None:
    ended = start(*arguments, WEBRTC_STATIC_PORT="eighty")
    assert ended.returncode == 2
    assert sentences(ended) == [
        "The settings are not usable: WEBRTC_STATIC_PORT must be a port number from 0 to 65535, "
        'not "eighty".'
    ]


@pytest.mark.parametrize("variable", ["WEBRTC_SIGNALING_PORT", "WEBRTC_STATIC_PORT"])
def test_a_busy_tcp_port(variable: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        free = {"WEBRTC_SIGNALING_PORT": "0", "WEBRTC_STATIC_PORT": "0", "WEBRTC_MEDIA_PORT": "0"}
        ended = start(**{**free, "WEBRTC_HOST": "127.0.0.1", variable: str(port)})
    assert ended.returncode == 2
    assert sentences(ended) == [
        f"TCP port {port} is taken by another program: end that program, "
        f"or set {variable} to a free port."
    ]


def test_a_busy_udp_port() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as busy:
        busy.bind(("127.0.0.1", 0))
        port = busy.getsockname()[1]
        ended = start(
            WEBRTC_HOST="127.0.0.1",
            WEBRTC_SIGNALING_PORT="0",
            WEBRTC_STATIC_PORT="0",
            WEBRTC_MEDIA_PORT=str(port),
            WEBRTC_MEDIA_WORKERS="1",
        )
    assert ended.returncode == 2
    assert sentences(ended)[0].startswith(f"UDP port {port} is taken by another program")


def test_an_address_of_another_host() -> None:
    ended = start(WEBRTC_HOST="203.0.113.1")
    assert ended.returncode == 2
    assert sentences(ended) == ["203.0.113.1 is not an address of this host: correct WEBRTC_HOST."]


def test_missing_packages_are_named_with_the_command_that_installs_them() -> None:
    # -S leaves the environment's packages out, -I those that a path variable would bring.
    ended = subprocess.run(
        [sys.executable, "-S", "-E", str(ROOT / "start_webrtc.py")],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert "Missing Python packages: aiohttp, aiortc, av" in ended.stderr
    assert "pip install -r requirements.txt" in ended.stderr
    assert "async-timeout" not in ended.stderr, "which only some Pythons need"


def test_missing_npm_packages_are_a_warning_only(tmp_path: Path) -> None:
    shutil.copy(ROOT / "start_webrtc.py", tmp_path)
    for package in ("webrtc", "mixer", "rooms", "archive"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    (tmp_path / "requirements.txt").write_text("")
    # The address stops the start after the warning.
    ended = start(script=tmp_path / "start_webrtc.py", WEBRTC_HOST="203.0.113.1")
    warning, refusal = ended.stderr.splitlines()
    assert "npm package socket.io-client is missing" in warning
    assert "the API works" in warning
    assert "203.0.113.1" in refusal


def test_an_unknown_argument() -> None:
    ended = start("--prot", "80")
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
