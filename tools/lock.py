"""Write requirements-hashes.txt and docs/sbom.cdx.json: run after changing what is pinned.

    python tools/lock.py --index URL

The URL is a package index's (PEP 503), as pip takes it; from it come the hashes of all wheels for
Linux (x86-64 and ARM, CPython 3.11 and newer) of the versions that requirements.txt,
requirements-models.txt and requirements-tracing.txt pin. Licences are those that the installed
packages name, npm's packages come from package-lock.json. The bill of materials is CycloneDX 1.6,
with nothing in it that would change without a change of the pins.
"""

import argparse
import base64
import json
import re
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PINS = ("requirements.txt", "requirements-models.txt", "requirements-tracing.txt")
HASHES = "requirements-hashes.txt"
SBOM = "docs/sbom.cdx.json"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)(?:\s*;\s*(.+))?$", re.MULTILINE)
_PYTHON = re.compile(r"-(?:py[23.py]*|cp3(?:1[1-9]|\d+-abi3))[-.]")
_SYSTEM = re.compile(r"-(?:any|\S*linux\S*_(?:x86_64|aarch64))\.whl$")
_FILE = re.compile(r'href="[^"#]*?([^"/#]+\.whl)#sha256=([0-9a-f]{64})"')
_UNTOLD = {
    "async-timeout": "Apache-2.0",  # which newer Pythons do without
    "pyrnnoise": "Apache-2.0",
    "xmlhttprequest-ssl": "MIT",
}
"""Licences that stand in the packages and not in what they say of themselves, or here."""
_HEAD = """\
# What requirements.txt, requirements-models.txt and requirements-tracing.txt pin, with the hashes
# of its wheels for Linux.
# Written by tools/lock.py; the container is made of it:
#
#     pip install --require-hashes --no-deps --only-binary :all: -r requirements-hashes.txt
"""


@dataclass(frozen=True)
class Pin:
    """A pinned package of Python's; `marker` says where it is installed, empty for everywhere."""

    name: str
    version: str
    marker: str

    @property
    def key(self) -> str:
        """Its name as indexes spell it (PEP 503)."""
        return re.sub(r"[-_.]+", "-", self.name).lower()


def pins() -> list[Pin]:
    """Return what is pinned, by name."""
    texts = [(ROOT / name).read_text("utf-8") for name in PINS]
    found = {Pin(*match) for text in texts for match in _PIN.findall(text)}
    return sorted(found, key=lambda pin: pin.key)


def hashes_of(pin: Pin, index: str) -> list[str]:
    """Return the SHA-256 of a package's wheels, sorted.

    Raises:
        SystemExit: there are none.
    """
    url = f"{index.rstrip('/')}/{pin.key}/"
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 — who runs it names it
        files = _FILE.findall(answer.read().decode())
    begins = f"{pin.key}-{pin.version}-".lower()
    found = {
        digest
        for name, digest in files
        if _dashed(name).lower().startswith(begins)
        and _PYTHON.search(name)
        and _SYSTEM.search(name)
    }
    if not found:
        raise SystemExit(f"{pin.name} {pin.version} has no wheel for Linux")
    return sorted(found)


def _dashed(filename: str) -> str:
    """Return a wheel's file name with its package's name as indexes spell it."""
    name, _, rest = filename.partition("-")
    return f"{re.sub(r'[-_.]+', '-', name)}-{rest}"


def requirements(hashes: dict[str, list[str]]) -> str:
    """Return the file of pins with hashes, by name."""
    lines = [_HEAD]
    for pin in pins():
        marker = f"; {pin.marker}" if pin.marker else ""
        parts = [f"{pin.key}=={pin.version}{marker}"]
        parts += [f"    --hash=sha256:{value}" for value in hashes[pin.key]]
        lines.append(" \\\n".join(parts) + "\n")
    return "".join(lines)


def bill(hashes: dict[str, list[str]]) -> dict[str, Any]:
    """Return the bill of materials."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "ag06-mixer",
                "name": "ag06-mixer",
                "licenses": [{"license": {"id": "MIT"}}],
            }
        },
        "components": [*_of_python(hashes), *_of_the_page()],
    }


def _of_python(hashes: dict[str, list[str]]) -> Iterator[dict[str, Any]]:
    for pin in pins():
        alone = hashes[pin.key][0] if len(hashes[pin.key]) == 1 else None
        yield _component(
            f"pkg:pypi/{pin.key}@{pin.version}",
            pin.key,
            pin.version,
            _licence(pin.name),
            ("SHA-256", alone) if alone else None,
        )


def _of_the_page() -> Iterator[dict[str, Any]]:
    packages = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    for path, package in sorted(packages.items()):
        if not path or package.get("dev") or package.get("optional"):
            continue
        name = path.rpartition("node_modules/")[2]
        digest = base64.b64decode(package["integrity"].partition("sha512-")[2]).hex()
        yield _component(
            f"pkg:npm/{name.replace('@', '%40')}@{package['version']}",
            name,
            package["version"],
            package.get("license") or _UNTOLD.get(name),
            ("SHA-512", digest),
        )


def _component(
    purl: str, name: str, version: str, licence: str | None, digest: tuple[str, str] | None
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
    }
    if digest is not None:
        told["hashes"] = [{"alg": digest[0], "content": digest[1]}]
    if licence:
        told["licenses"] = [{"license": {"name": licence}}]
    return told


def _licence(name: str) -> str | None:
    """Return what an installed package says of its licence, in a line."""
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return _UNTOLD.get(name)
    for field in ("License-Expression", "License"):
        for said in about.get_all(field) or ():
            if "\n" not in said and len(said) < 60:
                return str(said)
    classified = [one for one in about.get_all("Classifier") or () if one.startswith("License ::")]
    return str(classified[0]).rpartition(" :: ")[2] if classified else _UNTOLD.get(name)


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", required=True, help="URL of a package index")
    index: str = parser.parse_args().index
    hashes = {pin.key: hashes_of(pin, index) for pin in pins()}
    (ROOT / HASHES).write_text(requirements(hashes), "utf-8")
    (ROOT / SBOM).write_text(json.dumps(bill(hashes), indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
