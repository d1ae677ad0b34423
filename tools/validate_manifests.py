"""Hold each overlay of deploy/k8s against the schemas of Kubernetes releases, strictly.

`make manifests` runs it: a field that the oldest or the newest release lacks fails. Needs kubectl,
and what requirements-manifests.txt names. Kinds of other people's (ServiceMonitor) have no schema
there and are named as not checked: tests/deploy/monitoring_kinds.py has their fields.
"""

import importlib
import subprocess
import sys
from pathlib import Path

import yaml  # type: ignore[import-untyped]

OVERLAYS = Path(__file__).resolve().parents[1] / "deploy/k8s/overlays"
OLDEST = "1.29"


def main() -> int:
    """Print what is wrong; return the exit status."""
    schemas = importlib.import_module("kubernetes_validate")
    wrong, unknown, right = [], set(), 0
    for overlay in sorted(OVERLAYS.iterdir()):
        command = ["kubectl", "kustomize", str(overlay)]
        built = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=60)
        for one in filter(None, yaml.safe_load_all(built.stdout)):
            for release in (OLDEST, schemas.latest_version()):
                name = f"{overlay.name}, {one['kind']} {one['metadata']['name']}, {release}"
                try:
                    schemas.validate(one, release, strict=True)
                    right += 1
                except schemas.SchemaNotFoundError:
                    unknown.add(one["kind"])
                except schemas.ValidationError as error:
                    wrong.append(f"{name}: {error.message}")
    print("\n".join(wrong) or f"{right} times an object is as Kubernetes wants it.")
    print(f"Without a schema: {', '.join(sorted(unknown)) or 'none'}.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
