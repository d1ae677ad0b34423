"""Let checkov look at each overlay of deploy/k8s; what it finds must be listed, and why.

`make checkov` runs it. Needs kubectl, and what requirements-checkov.txt names beside this program's
interpreter. Nothing is fetched.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml  # type: ignore[import-untyped]

FOLDER = Path(__file__).resolve().parents[1] / "deploy/k8s"
ACCEPTED = FOLDER / "checkov.yaml"
Finding = tuple[str, str]
"""Check and object."""


def main() -> int:
    """Print what is wrong; return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        for overlay in sorted((FOLDER / "overlays").iterdir()):
            command = ["kubectl", "kustomize", str(overlay)]
            built = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=60)
            Path(folder, f"{overlay.name}.yaml").write_bytes(built.stdout)
        found, passed = look_at(Path(folder))
    accepted = {
        (one["check"], name)
        for one in yaml.safe_load(ACCEPTED.read_text())
        if one["reason"]
        for name in one["objects"]
    }
    for check, name in sorted(found.keys() - accepted):
        print(f"{name}: {check}, {found[check, name]}")
    for check, name in sorted(accepted - found.keys()):
        print(f"{name}: {check} is listed in {ACCEPTED.name}, but not found")
    print(f"{passed} checks passed, {len(found.keys() & accepted)} findings accepted.")
    return 0 if found.keys() == accepted else 1


def look_at(folder: Path) -> tuple[dict[Finding, str], int]:
    """Return what checkov finds in a folder and how it calls that, and how many checks passed."""
    checkov = str(Path(sys.executable).with_name("checkov"))
    command = [checkov, "--framework", "kubernetes", "--skip-download", "--output", "json"]
    done = subprocess.run(
        [*command, "--directory", str(folder)], stdout=subprocess.PIPE, check=False, timeout=300
    )
    report = json.loads(done.stdout)
    found = {
        (one["check_id"], _named(one["resource"])): one["check_name"]
        for one in report["results"]["failed_checks"]
    }
    return found, report["summary"]["passed"]


def _named(resource: str) -> str:
    """Return kind and name of what checkov calls kind.namespace.name, and more behind it."""
    kind, _, name, *_ = resource.split(".")
    return f"{kind} {name}"


if __name__ == "__main__":
    sys.exit(main())
