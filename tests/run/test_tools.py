"""The scripts behind `make`, in a copy of their own with stand-ins for the system's programs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the scripts, and `bin`, which the tests fill with programs."""
    shutil.copytree(ROOT / "tools", tmp_path / "project/tools")
    (tmp_path / "project/bin").mkdir()
    return tmp_path / "project"


def program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def run(
    project: Path, script: str, *arguments: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run a script with nothing on the PATH but the project's `bin` and a few basics."""
    basics = project / "basics"
    basics.mkdir(exist_ok=True)
    for name in ("sh", "dirname", "grep", "env", "cat"):
        link = basics / name
        if not link.exists():
            link.symlink_to(shutil.which(name) or f"/bin/{name}")
    return subprocess.run(
        [project / "tools" / script, *arguments],
        env={"PATH": f"{project}/bin:{basics}", **environ},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_run_reads_the_env_file_and_the_environment_wins(project: Path) -> None:
    program(project / ".venv/bin/python", 'echo "$1 $A|$B|$C|$D"')
    (project / ".env").write_text("A=file\nB='with spaces'\n#C=commented\nD='[{\"x\": 1}]'\n")
    ran = run(project, "run.sh", A="it's set")
    assert ran.stdout == 'start_webrtc.py it\'s set|with spaces||[{"x": 1}]\n'


def test_run_works_without_an_env_file(project: Path) -> None:
    program(project / ".venv/bin/python", 'echo "$@"')
    assert run(project, "run.sh", "--check").stdout == "start_webrtc.py --check\n"


def test_a_python_is_found_only_if_it_runs_and_is_recent(project: Path) -> None:
    program(project / "bin/python3.11", "exit 127")  # a version manager's empty shell
    program(project / "bin/python3.12", "exit 1")  # too old, or without venv
    program(project / "bin/python3", "exit 0")
    assert run(project, "find_python.sh").stdout == f"{project}/bin/python3\n"


def test_without_a_python_one_sentence_says_what_to_do(project: Path) -> None:
    ran = run(project, "find_python.sh")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("AG06 Mixer needs Python 3.11 or newer")
    assert len(ran.stderr.splitlines()) == 1


def test_the_systems_node_is_used_when_it_is_recent(project: Path) -> None:
    for name in ("node", "npm"):
        program(project / "bin" / name, "exit 0")
    ran = run(project, "with_node.sh", "sh", "-c", "command -v node")
    assert ran.stdout == f"{project}/bin/node\n"


def test_an_old_node_is_replaced_by_the_packaged_one(project: Path) -> None:
    program(project / "bin/node", "exit 1")
    program(project / "bin/npm", "exit 0")
    # What stands in for pip puts Node.js where the package would put it.
    folder = project / ".venv/bin"
    program(
        folder / "python",
        f'echo "pip $*" >&2; for n in node npm; do ln -s {shutil.which("true")} {folder}/$n; done',
    )
    (project / "basics").mkdir()
    (project / "basics/ln").symlink_to(shutil.which("ln") or "/bin/ln")
    first = run(project, "with_node.sh", "sh", "-c", "command -v node")
    assert first.stdout.splitlines()[-1] == f"{folder}/node"
    assert "requirements-node.txt" in first.stderr
    second = run(project, "with_node.sh", "sh", "-c", "command -v node")
    assert second.stdout == f"{folder}/node\n"
    assert second.stderr == ""


def test_test_packages_are_named_where_they_may_not_be_installed(project: Path) -> None:
    program(project / "bin/apt-get", "echo called >&2; exit 1")
    program(project / "bin/id", "echo 1000")
    for present in ("firefox-esr", "redis-server"):
        program(project / "bin" / present, "exit 0")
    ran = run(project, "install_test_packages.sh")
    assert ran.returncode == 0
    assert "sudo apt-get install --no-install-recommends chromium" in ran.stdout
    assert "skipped" in ran.stdout
    assert "firefox" not in ran.stdout
    assert "called" not in ran.stderr


def test_test_packages_are_installed_where_they_may_be_after_saying_so(project: Path) -> None:
    log = project / "apt.log"
    program(project / "bin/apt-get", f'echo "$@" >> {log}')
    program(project / "bin/id", "echo 0")
    for present in ("chromium", "redis-server"):
        program(project / "bin" / present, "exit 0")
    ran = run(project, "install_test_packages.sh")
    assert ran.returncode == 0
    assert ran.stdout.startswith("Installing for the tests, by the system's package manager")
    update, *installs = log.read_text().splitlines()
    assert update.startswith("update")
    assert "firefox-esr" in installs[0]
    assert not any("chromium" in line for line in installs)


def test_a_package_that_cannot_be_installed_stops_nothing(project: Path) -> None:
    program(project / "bin/apt-get", "exit 100")
    program(project / "bin/id", "echo 0")
    ran = run(project, "install_test_packages.sh")
    assert ran.returncode == 0
    for package in ("chromium", "firefox-esr", "redis-server"):
        assert f"{package} could not be installed; tests that need it are skipped." in ran.stdout


def test_every_script_is_executable() -> None:
    for script in [*(ROOT / "tools").glob("*.sh"), ROOT / ".ci/run"]:
        assert os.access(script, os.X_OK), script
