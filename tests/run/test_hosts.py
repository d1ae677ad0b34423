"""CPUs by affinity and cgroup quota; own addresses."""

import ipaddress
import os
import socket
from pathlib import Path

import pytest

from webrtc.hosts import own_ipv4_addresses, usable_cpus


@pytest.fixture(autouse=True)
def _eight_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))


def cgroup(tmp_path: Path, membership: str, files: dict[str, str]) -> tuple[Path, Path]:
    proc, mount = tmp_path / "proc", tmp_path / "cgroup"
    proc.mkdir()
    (proc / "cgroup").write_text(membership)
    for name, text in files.items():
        (mount / name).parent.mkdir(parents=True, exist_ok=True)
        (mount / name).write_text(text)
    return proc, mount


@pytest.mark.parametrize(
    ("membership", "files", "cpus"),
    [
        ("0::/\n", {}, 8),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 8),
        ("0::/\n", {"cpu.max": "400000 100000\n"}, 4),
        ("0::/\n", {"cpu.max": "250000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "50000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "1600000 100000\n"}, 8),
        ("0::/pod/box\n", {"pod/box/cpu.max": "max 100000", "pod/cpu.max": "300000 100000"}, 3),
        ("0::/pod/box\n", {"pod/box/cpu.max": "200000 100000", "pod/cpu.max": "max 100000"}, 2),
        # In a container with its own view, the host's path does not exist below the mount.
        ("0::/../../host/path\n", {"cpu.max": "200000 100000"}, 2),
        (
            "5:memory:/box\n4:cpu,cpuacct:/box\n",
            {
                "cpu,cpuacct/box/cpu.cfs_quota_us": "300000",
                "cpu,cpuacct/box/cpu.cfs_period_us": "100000",
            },
            3,
        ),
        (
            "1:cpu:/\n",
            {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"},
            8,
        ),
        ("0::/\n", {"cpu.max": "garbage"}, 8),
    ],
)
def test_the_tightest_quota_above_the_process_counts(
    tmp_path: Path, membership: str, files: dict[str, str], cpus: int
) -> None:
    assert usable_cpus(*cgroup(tmp_path, membership, files)) == cpus


def test_a_system_without_cgroups_leaves_the_affinity(tmp_path: Path) -> None:
    assert usable_cpus(tmp_path / "no", tmp_path / "nothing") == 8


def test_own_addresses_can_be_bound_and_leave_loopback_out() -> None:
    found = own_ipv4_addresses()
    assert len(set(found)) == len(found)
    for address in found:
        assert not ipaddress.IPv4Address(address).is_loopback
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.bind((address, 0))


def test_the_address_of_the_default_route_comes_first() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("203.0.113.1", 9))
        except OSError:
            pytest.skip("this machine has no default route")
        assert own_ipv4_addresses()[0] == probe.getsockname()[0]
