"""The worker's socket over the real loopback."""

import itertools
import socket
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.media.fakes import address_of, bound_socket, receive_all
from tests.support.patience import PATIENCE_S
from webrtc.media.udp import BATCH, DATAGRAM_BYTES, UdpPort, pack_address, unpack_address


@pytest.fixture
def port():
    with bound_socket() as sock:
        yield UdpPort(sock)


@pytest.fixture
def client():
    with bound_socket() as sock:
        yield sock


@given(host=st.ip_addresses(v=4).map(str), number=st.integers(0, 65535))
def test_an_address_survives_being_one_integer(host, number):
    assert unpack_address(pack_address(host, number)) == (host, number)


def test_nothing_there_is_an_empty_list_at_once(port):
    assert port.receive() == []


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 8])
def test_a_datagram_comes_with_its_bytes_and_sender(port, client, data):
    client.sendto(data, ("127.0.0.1", port.port))
    [datagram] = port.receive()
    assert datagram.data == data
    assert datagram.address == address_of(client)


def test_arrival_is_when_the_kernel_got_it_not_when_it_was_read(port, client):
    before = time.monotonic()
    client.sendto(b"x", ("127.0.0.1", port.port))
    sent = time.monotonic()
    time.sleep(0.05)  # the worker is held up; only the kernel's clock can tell
    [datagram] = port.receive()
    slack = 0.005  # between the two clocks that are compared, on a busy machine
    assert before - slack <= datagram.arrival_s <= sent + slack


def test_arrivals_are_in_order_and_differ(port, client):
    for i in range(3):
        client.sendto(bytes([i]), ("127.0.0.1", port.port))
        time.sleep(0.005)
    stamps = [datagram.arrival_s for datagram in port.receive()]
    assert all(after - before > 0.003 for before, after in itertools.pairwise(stamps))


def test_more_than_a_batch_comes_complete_and_in_order(port, client):
    count = 2 * BATCH + 5
    for i in range(count):
        client.sendto(i.to_bytes(2, "big"), ("127.0.0.1", port.port))
    first = port.receive()
    assert len(first) == BATCH
    rest = receive_all(port, count - BATCH)
    numbers = [int.from_bytes(data, "big") for data in [*(d.data for d in first), *rest]]
    assert numbers == list(range(count))
    assert port.receive() == []


def test_a_later_short_datagram_is_not_mixed_with_an_earlier_long_one(port, client):
    client.sendto(b"a" * 1000, ("127.0.0.1", port.port))
    [long] = port.receive()
    client.sendto(b"b", ("127.0.0.1", port.port))
    [short] = port.receive()
    assert (long.data, short.data) == (b"a" * 1000, b"b")


def test_an_oversized_datagram_is_cut_off(port, client):
    client.sendto(b"x" * (DATAGRAM_BYTES + 1), ("127.0.0.1", port.port))
    [datagram] = port.receive()
    assert len(datagram.data) == DATAGRAM_BYTES


def test_what_is_sent_arrives(port, client):
    client.settimeout(PATIENCE_S)
    port.send(b"hello", address_of(client))
    assert client.recvfrom(100) == (b"hello", ("127.0.0.1", port.port))


def test_a_datagram_that_cannot_be_sent_is_counted(port):
    port.send(b"x" * 70_000, pack_address("127.0.0.1", 9))
    port.send(b"x", pack_address("255.255.255.255", 9))
    assert port.send_errors == 2


def test_what_the_kernel_throws_away_is_counted_from_when_the_port_was_taken_over(client):
    with bound_socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(2):  # the second time as another worker's
            port = UdpPort(sock)
            assert port.count_unread() == 0
            for _ in range(100):
                client.sendto(b"x" * 500, ("127.0.0.1", port.port))
            read = len(receive_all(port, 100))
            assert 0 < read < 100
            assert port.count_unread() == 100 - read


def test_the_socket_never_blocks_and_closes():
    port = UdpPort(bound_socket())
    with pytest.raises(BlockingIOError):
        port.sock.recv(1)
    port.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        port.sock.getsockname()
    assert socket.socket.fileno(port.sock) == -1
