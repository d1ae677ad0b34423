"""What is installed is pinned with hashes, and listed in the bill of materials."""

import base64
import json
import re
from pathlib import Path

from tools import lock

ROOT = Path(__file__).resolve().parents[2]
HASHED = (ROOT / lock.HASHES).read_text("utf-8")
BILL = json.loads((ROOT / lock.SBOM).read_text("utf-8"))


def hashes() -> dict[str, list[str]]:
    """Return the hashes that are pinned, by name."""
    blocks = re.findall(r"^([a-z0-9-]+)==((?:.*\\\n)*.*)$", HASHED, re.MULTILINE)
    return {name: re.findall(r"--hash=sha256:([0-9a-f]{64})", rest) for name, rest in blocks}


def test_every_pin_has_hashes_and_nothing_else_does() -> None:
    assert all(hashes().values())
    assert hashes().keys() == {pin.key for pin in lock.pins()}
    assert len(lock.pins()) > 40
    assert lock.requirements(hashes()) == HASHED, "run tools/lock.py"


def test_the_container_installs_nothing_without_a_hash() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    installs = re.findall(r"pip install .*", dockerfile)
    assert installs
    assert all("--require-hashes" in line and lock.HASHES in line for line in installs)
    assert "npm ci" in dockerfile, "which checks the hashes of package-lock.json"


def test_the_bill_of_materials_lists_what_is_pinned() -> None:
    told = lock.bill(hashes())
    assert [one["purl"] for one in BILL["components"]] == [
        one["purl"] for one in told["components"]
    ], "run tools/lock.py"
    assert {one["purl"]: one.get("hashes") for one in BILL["components"]} == {
        one["purl"]: one.get("hashes") for one in told["components"]
    }
    assert all(one.get("licenses") for one in BILL["components"])


def test_hashes_of_the_page_are_those_of_npm() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    wanted = packages["node_modules/socket.io-client"]["integrity"].removeprefix("sha512-")
    (client,) = [one for one in BILL["components"] if one["name"] == "socket.io-client"]
    assert client["hashes"] == [{"alg": "SHA-512", "content": base64.b64decode(wanted).hex()}]


def test_names_of_wheels_are_read_as_indexes_spell_them() -> None:
    assert lock._dashed("google_crc32c-1.9.0-cp311-cp311-any.whl").startswith("google-crc32c-1.9.0")
    assert [lock.Pin("PyJWT", "1", "").key, lock.Pin("a_b.c", "1", "").key] == ["pyjwt", "a-b-c"]
