"""Packets between two network namespaces pass the bad network, and the mirror turns them round."""

import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.server

_SCRIPT = """
import socket, subprocess, sys
from benchmarks.harness.tun import FAR, MIRROR, NEAR, NoTunError, bad_network
from mixer.netsim_settings import NetworkConditions

SPEAK = '''
import socket, sys
near, far, mirror, port = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
one = socket.socket(type=socket.SOCK_DGRAM); one.bind((near, 0)); one.settimeout(10)
two = socket.socket(type=socket.SOCK_DGRAM); two.bind((near, 0)); two.settimeout(10)
one.sendto(b"to the far end", (far, port))
print(one.recvfrom(100))
one.sendto(b"to myself", (mirror, two.getsockname()[1]))
heard, where = two.recvfrom(100)
print(heard, where == (mirror, one.getsockname()[1]))
two.sendto(b"and back", where)
print(one.recvfrom(100)[0])
'''

try:
    with bad_network(NetworkConditions(delay_ms=float(sys.argv[1]))) as network:
        there = socket.socket(type=socket.SOCK_DGRAM)
        there.bind((FAR, 0))
        arguments = [NEAR, FAR, MIRROR, str(there.getsockname()[1])]
        inside = ["nsenter", f"--net=/proc/{network.near_pid}/ns/net", sys.executable, "-c", SPEAK]
        speaker = subprocess.Popen([*inside, *arguments])
        heard, who = there.recvfrom(100)
        there.sendto(b"heard " + heard, who)
        speaker.wait(20)
        print(network.up.stats.passed, network.down.stats.passed, flush=True)
except NoTunError as error:
    print("none:", error)
"""


def test_packets_pass_and_are_turned_round_by_the_mirror() -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_SCRIPT), "20"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.stdout.startswith("none:"):
        pytest.skip(done.stdout)
    told = done.stdout.splitlines()
    assert told[:3] == [
        told[0],
        "b'to myself' True",
        "b'and back'",
    ], done.stderr
    assert told[0].startswith("(b'heard to the far end', ('10.77.0.2'")
    up, down = map(int, told[3].split())
    assert up >= 3
    assert down >= 3
