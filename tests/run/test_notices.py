"""Whose work is installed is named, with its licence."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_package_that_runs_with_the_server_or_in_the_page_is_named() -> None:
    notices = (ROOT / "THIRD_PARTY_NOTICES.md").read_text("utf-8").lower()
    named = set(re.findall(r"[@a-z0-9._/-]+", notices))
    wanted = set()
    for requirements in ("requirements.txt", "requirements-models.txt"):
        text = (ROOT / requirements).read_text("utf-8")
        wanted |= set(re.findall(r"^([a-z0-9._-]+)==", text.lower(), re.MULTILINE))
    packages = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    wanted |= {
        path.rpartition("node_modules/")[2].lower()
        for path, package in packages.items()
        if path and not package.get("optional")
    }
    assert {"aiortc", "onnxruntime", "socket.io-client"} <= wanted
    assert wanted - named == set()
