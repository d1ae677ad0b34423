"""A server of this copy of the project on free ports, for tools that look at its page."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = "/usr/bin/chromium"
_FREE_PORTS = {
    "WEBRTC_SIGNALING_PORT": "0",
    "WEBRTC_STATIC_PORT": "0",
    "WEBRTC_MEDIA_PORT": "0",
}


@contextmanager
def local_server(**settings: str) -> Iterator[str]:
    """Give the address of a server's page, and end the server afterwards.

    Args:
        settings: of the server, as in its environment.
    """
    server = subprocess.Popen(
        [sys.executable, "start_webrtc.py"],
        cwd=ROOT,
        env={**os.environ, **_FREE_PORTS, **settings},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield _address(server)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(10)


def _address(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    for line in server.stdout:
        if found := re.search(r"ready: (http\S+)", line):
            return found.group(1)
    sys.exit("the server did not start")
