"""Programs that tests use beside the server.

A test whose program is missing is skipped, and says how to install it.
"""

import shutil
from collections.abc import Iterable

import pytest

_PACKAGES = {
    "chromium": ("chromium", "chromium-browser"),
    "firefox-esr": ("firefox-esr", "firefox"),
    "coturn": ("turnserver",),
    "redis-server": ("redis-server",),
}
"""Debian package, and the commands under which the program may be found."""


def require(package: str) -> str:
    """Return the path of a package's program, or skip the test."""
    found = _first(_PACKAGES[package])
    if found is None:
        pytest.skip(f"{package} is not installed: apt-get install {package}")
    return found


def _first(commands: Iterable[str]) -> str | None:
    return next((path for command in commands if (path := shutil.which(command))), None)
