import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.breaking_point import largest
from benchmarks.harness.cost import Cost
from benchmarks.harness.packages import MissingPackageError, ensure
from benchmarks.harness.processes import family, holdings, usage
from benchmarks.harness.report import print_result, print_table, quantiles
from benchmarks.load.arrivals import Punctuality
from benchmarks.memory import slope_kb

CHILD = """
import subprocess, sys
grandchild = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
print(grandchild.pid, flush=True)
sum(i * i for i in range(3_000_000))
print("done", flush=True)
input()
grandchild.communicate()
"""


def test_a_family_is_all_descendants_and_what_they_cost():
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        grandchild = int(child.stdout.readline())
        child.stdout.readline()
        assert set(family(child.pid)) == {child.pid, grandchild}
        cost = usage([child.pid], with_memory=True)
        child.communicate(b"\n")
    assert cost.processes == 2
    assert cost.cpu_s > 0
    assert cost.pss_kb > 1000
    assert family(child.pid) == []
    assert os.getpid() in family(os.getpid())


def test_what_a_process_opens_is_held_until_it_closes_it():
    before = holdings(os.getpid())
    with socket.socket(), socket.socket(), Path(__file__).open(encoding="utf-8"):
        during = holdings(os.getpid())
    assert during.descriptors == before.descriptors + 3
    assert during.sockets == before.sockets + 2
    assert during.threads >= 1
    assert during.pss_kb > during.own_kb > 1000
    assert holdings(os.getpid()).descriptors == before.descriptors


def test_the_last_line_is_json_and_tables_line_up(capsys):
    print_table("Title", ["name", "value"], [["a", 1.5], ["long name", None], ["c", 1234.5]])
    print_result("test", {"figure": np.float64(1.5)})
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "Title"
    assert {len(line) for line in lines[3:6]} == {len("long name  value")}
    result = json.loads(lines[-1])
    assert result["benchmark"] == "test"
    assert result["figure"] == 1.5
    assert result["machine"]["cores"] == os.cpu_count()


def test_quantiles_of_nothing_are_nothing():
    assert quantiles(np.zeros(0)) == {"p50": None, "p95": None, "p99": None}
    assert quantiles(np.arange(101.0)) == {"p50": 50.0, "p95": 95.0, "p99": 99.0}


def test_the_slope_of_memory_leaves_out_the_empty_server():
    assert slope_kb([(0, 1000), (100, 50_000), (500, 90_000), (1000, 140_000)]) == 100.0


def cost(participants: int, late: int) -> Cost:
    punctual = Punctuality(1000, 0, late, 0, np.zeros(0))
    return Cost(participants, 2.0, 1.0, punctual, 0.1, 0)


def test_the_largest_room_is_the_last_with_less_than_one_percent_bad():
    assert largest([cost(100, 0), cost(200, 9), cost(300, 10)]) == 200
    assert largest([cost(100, 500)]) == 0
    assert cost(100, 0).ms_per_participant_second == 5.0


def test_a_package_that_cannot_be_had_names_the_command(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(MissingPackageError, match=r"apt-get install .* nothing-of-the-kind"):
        ensure("nothing-of-the-kind", lambda: False)
    ensure("nothing-of-the-kind", lambda: True)
