"""What goes into the container, as far as that can be told without building it."""

import re
import subprocess
from pathlib import Path

import yaml

from webrtc.settings_table import VARIABLES

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
FINAL = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]


def test_all_that_the_server_imports_is_copied_and_not_ignored() -> None:
    sources = re.search(r"^SOURCES := (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert sources is not None
    allowed = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for folder in sources[1].split():
        assert f"\nCOPY {folder} {folder}\n" in FINAL, folder
        assert f"!{folder}" in allowed, folder
    for source in re.findall(r"^COPY (?!--)(.*) \S+$", DOCKERFILE, re.MULTILINE):
        for name in source.split():
            assert (ROOT / name).exists(), name
            assert any(f"!{part}" in allowed for part in (name, str(Path(name).parent))), name


def test_the_final_stage_is_without_compiler_and_without_root() -> None:
    for tool in ("gcc", "build-essential", "clang", "make", "npm", "git"):
        assert not re.search(rf"\b{tool}\b", FINAL.partition("\nARG")[0].replace("#", "")), tool
    assert "libopus0" in FINAL
    assert re.search(r"^USER 10001$", FINAL, re.MULTILINE)
    assert "--only-binary :all:" in DOCKERFILE
    assert "libopus-dev" not in DOCKERFILE


def test_the_script_starts_the_server_with_kernels_where_they_may_be_written(
    tmp_path: Path,
) -> None:
    script = ROOT / "deploy/container/start.sh"
    assert script.stat().st_mode & 0o111
    home, kernels, bin_ = tmp_path / "opt", tmp_path / "image", tmp_path / "opt/venv/bin"
    bin_.mkdir(parents=True)
    kernels.mkdir()
    (kernels / "one.nbi").write_text("x")
    python = bin_ / "python"
    python.write_text('#!/bin/sh\necho "$@" "$(cat "$NUMBA_CACHE_DIR/one.nbi")"\n')
    python.chmod(0o755)
    text = script.read_text("utf-8").replace("/opt/ag06", str(home))
    environment = {
        "PATH": "/usr/bin:/bin",
        "AG06_KERNELS": str(kernels),
        "NUMBA_CACHE_DIR": str(tmp_path / "writable"),
    }
    for _ in range(2):  # a restart of the container finds what the first start has left
        ran = subprocess.run(
            ["sh", "-c", text, "start", "--check"],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        assert ran.stdout == "start_webrtc.py --check x\n"


def test_compose_gives_only_settings_that_exist() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]
    names = {variable.name for variable in VARIABLES}
    mixers = [service for name, service in services.items() if name.startswith("mixer")]
    assert len(mixers) == 2
    ports = []
    for mixer in mixers:
        environment = mixer["environment"]
        assert environment.keys() <= names
        assert mixer["read_only"] is True
        assert mixer["cap_drop"] == ["ALL"]
        assert mixer["depends_on"].keys() <= services.keys()
        ports.append(
            [
                environment.get(name)
                for name in ("WEBRTC_SIGNALING_PORT", "WEBRTC_STATIC_PORT", "WEBRTC_MEDIA_PORT")
            ]
        )
    assert all(one != other for one, other in zip(*ports, strict=True))
