"""UDP for many participants: batched reads with the kernel's arrival stamps.

`SharedSocket` is one socket for everybody: participant i speaks from the loopback address
127.64.0.1 + i, which the server cannot tell from a machine of its own, and after a move from one
of seven others. `OwnSockets` is one socket
per participant, as real clients have them. Both read with recvmmsg, many datagrams per system call;
a latency taken from the kernel's stamps does not contain the client's own scheduling.
"""

import select
import socket
import struct
from dataclasses import dataclass
from typing import Any, Protocol

import cffi
import numpy as np
import numpy.typing as npt

_ROWS = 512
_ROW_BYTES = 1536
_CONTROL_BYTES = 128
_FIRST_ADDRESS = 0x7F400001  # 127.64.0.1
_MOST_PARTICIPANTS = 1 << 20
_PLACES = 8  # addresses of one participant, one after the other
_RECEIVE_BUFFER_BYTES = 64 << 20
# Linux's numbers; Python's socket module does not name them.
_SO_RCVBUFFORCE = 33
_SO_TIMESTAMPNS = 35
_IP_PKTINFO = 8

_ffi = cffi.FFI()
_ffi.cdef("""
struct iovec { void *iov_base; size_t iov_len; };
struct msghdr {
    void *msg_name; unsigned int msg_namelen;
    struct iovec *msg_iov; size_t msg_iovlen;
    void *msg_control; size_t msg_controllen; int msg_flags;
};
struct mmsghdr { struct msghdr msg_hdr; unsigned int msg_len; };
int recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags, void *timeout);
""")
_libc = _ffi.dlopen(None)


class UnexpectedControlError(Exception):
    """The kernel's ancillary data do not stand where this client looks for them."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Datagrams of one read; valid until the next read.

    Attributes:
        data: (count, row bytes) uint8; beyond its length a row holds rubbish.
        length: (count,) bytes of each datagram.
        participant: (count,) index of the participant it was sent to.
        stamp_ns: (count,) kernel's arrival time, Unix epoch.
    """

    data: npt.NDArray[np.uint8]
    length: npt.NDArray[np.int64]
    participant: npt.NDArray[np.int64]
    stamp_ns: npt.NDArray[np.int64]


class Sockets(Protocol):
    """Where the datagrams of all participants come and go."""

    def open(self, participant: int) -> tuple[str, int]:
        """Return the address that `participant` will be seen at, opening it if need be."""

    def fileno(self) -> int:
        """Return a descriptor that is readable when datagrams wait."""

    def send(self, participant: int, datagram: bytes, destination: tuple[str, int]) -> None:
        """Send one datagram; one that the kernel refuses is lost."""

    def move(self, participant: int) -> None:
        """Let `participant` be seen at another address from now on."""

    def shut(self, participant: int) -> None:
        """Give up the way of `participant`; what comes for it is still read."""

    def receive(self) -> Batch | None:
        """Return waiting datagrams, or None when there are none."""

    def dropped(self) -> int:
        """Return how many datagrams the kernel dropped because nobody read them in time."""

    def close(self) -> None:
        """Close everything."""


class _BatchReader:
    """recvmmsg into memory that numpy sees."""

    def __init__(self, *, with_destination: bool) -> None:
        self._memory = np.zeros((_ROWS, _ROW_BYTES), np.uint8)
        self._control = np.zeros((_ROWS, _CONTROL_BYTES), np.uint8)
        self._with_destination = with_destination
        self._vectors = _ffi.new("struct iovec[]", _ROWS)
        self._messages = _ffi.new("struct mmsghdr[]", _ROWS)
        data = _ffi.cast("char *", self._memory.ctypes.data)
        control = _ffi.cast("char *", self._control.ctypes.data)
        for row in range(_ROWS):
            self._vectors[row].iov_base = data + row * _ROW_BYTES
            self._vectors[row].iov_len = _ROW_BYTES
            header = self._messages[row].msg_hdr
            header.msg_iov = self._vectors + row
            header.msg_iovlen = 1
            header.msg_control = control + row * _CONTROL_BYTES
        raw = np.frombuffer(_ffi.buffer(self._messages), np.uint8).reshape(_ROWS, -1)
        self._length = _column(raw, _ffi.sizeof("struct msghdr"), np.uint32)
        self._control_length = _column(
            raw, _ffi.offsetof("struct msghdr", "msg_controllen"), np.uint64
        )

    def read(self, descriptor: int) -> int:
        """Fill the memory from a non-blocking socket; return the number of datagrams."""
        self._control_length[:] = _CONTROL_BYTES
        count = int(
            _libc.recvmmsg(descriptor, self._messages, _ROWS, socket.MSG_DONTWAIT, _ffi.NULL)
        )
        return max(count, 0)

    def batch(self, count: int, participant: npt.NDArray[np.int64] | None = None) -> Batch:
        """Return the first `count` datagrams; `participant` is read from the control data if None.

        The kernel writes the arrival stamp first and the packet's addresses second.
        """
        control = self._control[:count]
        words = control.view(np.int32)
        expected = 64 if self._with_destination else 32
        if not np.all(self._control_length[:count] == expected) or not np.all(
            words[:, 3] == _SO_TIMESTAMPNS
        ):
            raise UnexpectedControlError("no arrival stamp, or not in the first place")
        longs = control.view(np.int64)
        if participant is None:
            destination = control[:, 56:60].copy().view(">u4")[:, 0].astype(np.int64)
            participant = (destination - _FIRST_ADDRESS) % _MOST_PARTICIPANTS
        return Batch(
            self._memory[:count],
            self._length[:count].astype(np.int64),
            participant,
            longs[:, 2] * 1_000_000_000 + longs[:, 3],
        )


def _column(
    raw: npt.NDArray[np.uint8], offset: int, kind: type[np.uint32] | type[np.uint64]
) -> npt.NDArray[Any]:
    size = np.dtype(kind).itemsize
    return raw[:, offset : offset + size].view(kind)[:, 0]


def _udp_socket(address: str) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    made.bind((address, 0))
    return made


class SharedSocket:
    """One socket; participants are told apart by their loopback addresses."""

    def __init__(self) -> None:
        self._socket = _udp_socket("0.0.0.0")
        self._socket.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER_BYTES)
        except PermissionError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        self._reader = _BatchReader(with_destination=True)
        self._port = int(self._socket.getsockname()[1])
        self._sources: dict[int, list[tuple[int, int, bytes]]] = {}
        self._places: dict[int, int] = {}

    def open(self, participant: int) -> tuple[str, int]:
        """Return the participant's own loopback address and the common port."""
        place = self._places.setdefault(participant, 0)
        packed = struct.pack("!I", _FIRST_ADDRESS + participant + place * _MOST_PARTICIPANTS)
        source = struct.pack("=I4s4s", 0, packed, bytes(4))
        self._sources[participant] = [(socket.IPPROTO_IP, _IP_PKTINFO, source)]
        return socket.inet_ntoa(packed), self._port

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return self._socket.fileno()

    def send(self, participant: int, datagram: bytes, destination: tuple[str, int]) -> None:
        """Send from the participant's address."""
        try:
            self._socket.sendmsg([datagram], self._sources[participant], 0, destination)
        except KeyError:  # shut
            return
        except OSError:  # a full buffer or a closed port: lost, as on any network
            return

    def move(self, participant: int) -> None:
        """Go to the next of the participant's addresses."""
        self._places[participant] = (self._places[participant] + 1) % _PLACES
        self.open(participant)

    def shut(self, participant: int) -> None:
        """Forget the participant's address."""
        self._sources.pop(participant, None)
        self._places.pop(participant, None)

    def receive(self) -> Batch | None:
        """Read up to 512 datagrams."""
        count = self._reader.read(self._socket.fileno())
        return self._reader.batch(count) if count else None

    def dropped(self) -> int:
        """Return the socket's drop counter."""
        return _kernel_drops({self._port})

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class OwnSockets:
    """One socket per participant, all on one address of this machine."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._reader = _BatchReader(with_destination=False)
        self._epoll = select.epoll()
        self._by_participant: dict[int, socket.socket] = {}
        self._by_descriptor: dict[int, int] = {}

    def open(self, participant: int) -> tuple[str, int]:
        """Open the participant's socket."""
        made = _udp_socket(self._address)
        self._by_participant[participant] = made
        self._by_descriptor[made.fileno()] = participant
        self._epoll.register(made, select.EPOLLIN)
        host, port = made.getsockname()
        return str(host), int(port)

    def fileno(self) -> int:
        """Return an epoll descriptor over all sockets."""
        return self._epoll.fileno()

    def send(self, participant: int, datagram: bytes, destination: tuple[str, int]) -> None:
        """Send from the participant's socket."""
        try:
            self._by_participant[participant].sendto(datagram, destination)
        except KeyError:  # shut
            return
        except OSError:  # a full buffer or a closed port: lost, as on any network
            return

    def move(self, participant: int) -> None:
        """Take a new socket."""
        self.shut(participant)
        self.open(participant)

    def shut(self, participant: int) -> None:
        """Close the participant's socket."""
        made = self._by_participant.pop(participant, None)
        if made is not None:
            self._epoll.unregister(made)
            del self._by_descriptor[made.fileno()]
            made.close()

    def receive(self) -> Batch | None:
        """Read what waits at one of the sockets."""
        for descriptor, _ in self._epoll.poll(0, 1):
            count = self._reader.read(descriptor)
            if count:
                participant = np.full(count, self._by_descriptor[descriptor], np.int64)
                return self._reader.batch(count, participant)
        return None

    def dropped(self) -> int:
        """Return the sum of the sockets' drop counters."""
        return _kernel_drops({made.getsockname()[1] for made in self._by_participant.values()})

    def close(self) -> None:
        """Close all sockets."""
        self._epoll.close()
        for made in self._by_participant.values():
            made.close()


def _kernel_drops(ports: set[int]) -> int:
    """Return the drops of our UDP ports from the last column of /proc/net/udp."""
    total = 0
    with open("/proc/net/udp", encoding="ascii") as table:
        next(table)
        for line in table:
            fields = line.split()
            if int(fields[1].rpartition(":")[2], 16) in ports:
                total += int(fields[-1])
    return total
