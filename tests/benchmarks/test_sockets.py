import socket
import time

import numpy as np
import pytest

from benchmarks.load.sockets import OwnSockets, SharedSocket, Sockets
from tests.support.patience import PATIENCE_S


@pytest.fixture(params=["shared", "own"])
def sockets(request):
    made = SharedSocket() if request.param == "shared" else OwnSockets("127.0.0.1")
    yield made
    made.close()


@pytest.fixture
def server():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(PATIENCE_S)
        yield made


def read_all(sockets: Sockets, count: int) -> list[tuple[int, bytes, int]]:
    found = []
    end = time.monotonic() + 5
    while len(found) < count and time.monotonic() < end:
        batch = sockets.receive()
        if batch is not None:
            found += [
                (int(participant), row[:length].tobytes(), int(stamp_ns))
                for participant, row, length, stamp_ns in zip(
                    batch.participant, batch.data, batch.length, batch.stamp_ns, strict=True
                )
            ]
    return found


def test_participants_are_told_apart_both_ways_and_arrivals_are_stamped(sockets, server):
    addresses = {number: sockets.open(number) for number in (0, 7, 300)}
    assert len(set(addresses.values())) == 3
    before_ns = time.time_ns()
    for number, address in addresses.items():
        sockets.send(number, b"from %d" % number, server.getsockname())
        datagram, source = server.recvfrom(100)
        assert datagram == b"from %d" % number
        assert source == address
        server.sendto(b"to %d" % number, source)
    found = read_all(sockets, 3)
    assert {participant: data for participant, data, _ in found} == {
        number: b"to %d" % number for number in addresses
    }
    stamps_ns = np.array([stamp_ns for _, _, stamp_ns in found])
    assert np.all((stamps_ns >= before_ns - 1_000_000) & (stamps_ns <= time.time_ns() + 1_000_000))


def test_who_moves_is_seen_elsewhere_and_still_told_apart(sockets, server):
    first = sockets.open(5)
    other = sockets.open(6)
    sockets.move(5)
    sockets.send(5, b"from elsewhere", server.getsockname())
    _, source = server.recvfrom(100)
    assert source not in {first, other}
    server.sendto(b"to its new address", source)
    [(participant, data, _)] = read_all(sockets, 1)
    assert (participant, data) == (5, b"to its new address")


def test_who_is_shut_sends_no_more_and_can_be_opened_anew(sockets, server):
    sockets.open(5)
    sockets.open(6)
    sockets.shut(5)
    sockets.shut(7)  # never was there
    sockets.send(5, b"lost", server.getsockname())
    sockets.send(6, b"comes", server.getsockname())
    assert server.recvfrom(100)[0] == b"comes"
    sockets.open(5)
    sockets.send(5, b"again", server.getsockname())
    assert server.recvfrom(100)[0] == b"again"


def test_nothing_waiting_is_none(sockets):
    sockets.open(0)
    assert sockets.receive() is None
    assert sockets.dropped() == 0


def test_datagrams_keep_their_order_over_several_reads(sockets, server):
    address = sockets.open(1)
    found = []
    for begin in range(0, 400, 100):  # no more at once than an ordinary socket's buffer holds
        for number in range(begin, begin + 100):
            server.sendto(number.to_bytes(2, "big"), address)
        found += read_all(sockets, 100)
    assert [int.from_bytes(data, "big") for _, data, _ in found] == list(range(400))


def test_a_buffer_that_overflows_is_counted(server):
    sockets = OwnSockets("127.0.0.1")
    address = sockets.open(1)
    for _ in range(2000):
        server.sendto(bytes(1000), address)
    read = 0
    end = time.monotonic() + 5
    while read + sockets.dropped() < 2000 and time.monotonic() < end:  # some may be on the way yet
        while (batch := sockets.receive()) is not None:
            read += batch.length.size
    assert read < 2000
    assert sockets.dropped() == 2000 - read
    sockets.close()
