"""One UDP socket of a media worker: batched receive with kernel arrival stamps.

A worker reads its socket once per tick, so the moment at which Python sees a packet says nothing
about the network. `SO_TIMESTAMPNS` does: the kernel stamps each datagram when it arrives. One
`recvmmsg` call through cffi's ABI mode (no compiler) fetches up to `BATCH` of them.
"""

import socket
import sys
import time
from typing import NamedTuple

import cffi
import numpy as np

BATCH = 64
DATAGRAM_BYTES = 2048
_CONTROL_BYTES = 64
_SO_TIMESTAMPNS = 35  # asm-generic/socket.h; Python's socket module does not name it
_SO_MEMINFO = 55  # likewise
_MEMINFO_DROPS = 8  # linux/sock_diag.h: which of its numbers
_MSG_DONTWAIT = 0x40

_ffi = cffi.FFI()
_ffi.cdef(
    """
struct iovec { void *iov_base; size_t iov_len; };
struct msghdr { void *msg_name; unsigned int msg_namelen; struct iovec *msg_iov; size_t msg_iovlen;
                void *msg_control; size_t msg_controllen; int msg_flags; };
struct mmsghdr { struct msghdr msg_hdr; unsigned int msg_len; };
int recvmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags, void *timeout);
"""
)
_libc = _ffi.dlopen(None)


class Datagram(NamedTuple):
    """A received datagram.

    Attributes:
        data: The payload.
        address: IPv4 address and port in one integer, `ip << 16 | port` (host order).
        arrival_s: When the kernel got it, on the clock of `time.monotonic()`.
    """

    data: bytes
    address: int
    arrival_s: float


def pack_address(host: str, port: int) -> int:
    """Return the one-integer form of an IPv4 address and port."""
    return int.from_bytes(socket.inet_aton(host), "big") << 16 | port


def unpack_address(address: int) -> tuple[str, int]:
    """Return host and port of a one-integer address."""
    return socket.inet_ntoa((address >> 16).to_bytes(4, "big")), address & 0xFFFF


class UdpPort:
    """Non-blocking IPv4 UDP socket with batched, stamped receive.

    Attributes:
        sock: The socket.
        port: Its port number.
        send_errors: Datagrams that the socket refused.
        data: uint8 (BATCH, datagram_bytes), what the last batch brought; `views` are its rows.
        names: uint8 (BATCH, 16), the senders' `sockaddr_in`.
        controls: int64 (BATCH, 8), control messages with the arrival stamp.
        headers: uint64 (BATCH, 8), the `mmsghdr` array that ties them together.
    """

    def __init__(self, sock: socket.socket, datagram_bytes: int = DATAGRAM_BYTES) -> None:
        """Take over `sock`, a bound AF_INET datagram socket.

        Args:
            sock: The socket.
            datagram_bytes: Longer datagrams come cut off.
        """
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self.sock = sock
        self.port: int = sock.getsockname()[1]
        self.send_errors = 0
        self._fd = sock.fileno()
        self.data = np.zeros((BATCH, datagram_bytes), np.uint8)
        self.names = np.zeros((BATCH, 16), np.uint8)
        self.controls = np.zeros((BATCH, _CONTROL_BYTES // 8), np.int64)
        self._headers = _ffi.new("struct mmsghdr[]", BATCH)
        self._vectors = _ffi.new("struct iovec[]", BATCH)
        self.views = [memoryview(row) for row in self.data]  # type: ignore[arg-type]
        for i in range(BATCH):
            self._vectors[i].iov_base = _ffi.cast("void *", self.data[i].ctypes.data)
            self._vectors[i].iov_len = datagram_bytes
            header = self._headers[i].msg_hdr
            header.msg_name = _ffi.cast("void *", self.names[i].ctypes.data)
            header.msg_iov = _ffi.addressof(self._vectors, i)
            header.msg_iovlen = 1
            header.msg_control = _ffi.cast("void *", self.controls[i].ctypes.data)
            # The lengths are in-out: `receive` restores the pristine headers before each call.
            header.msg_namelen = 16
            header.msg_controllen = _CONTROL_BYTES
        self._header_bytes = _ffi.buffer(self._headers)
        self.headers = np.frombuffer(self._header_bytes, np.uint64).reshape(BATCH, -1)
        self._ports_and_hosts = self.names.view(">u2")  # family, port, address, zero
        self._pristine = bytes(self._header_bytes)
        self._dropped_before = self._kernel_drops()  # a socket outlives the worker that reads it

    def receive(self) -> list[Datagram]:
        """Return what has arrived, at most `BATCH` datagrams; empty when there is nothing.

        Datagrams that are too long come cut off; SRTP's tag rejects them.
        """
        self._header_bytes[:] = self._pristine
        count = _libc.recvmmsg(self._fd, self._headers, BATCH, _MSG_DONTWAIT, _ffi.NULL)
        if count <= 0:
            return []
        now = time.monotonic()
        offset = now - time.time()  # afresh each time: the wall clock may jump
        names = self._ports_and_hosts[:count].tolist()
        control = self.controls[:count].tolist()
        headers, views = self._headers, self.views
        result = []
        for i in range(count):
            port, high, low = names[i][1:4]
            words = control[i]
            # cmsghdr: length 32, level SOL_SOCKET (1) and type SO_TIMESTAMPNS, then timespec
            if words[1] == _SO_TIMESTAMPNS << 32 | 1:
                arrival = words[2] + words[3] * 1e-9 + offset
                if not now - 5.0 < arrival <= now:
                    arrival = now
            else:
                arrival = now
            data = bytes(views[i][: headers[i].msg_len])
            result.append(Datagram(data, high << 32 | low << 16 | port, arrival))
        return result

    def send(self, data: bytes, address: int) -> None:
        """Send one datagram; a full or failing socket drops it and counts `send_errors`."""
        try:
            self.sock.sendto(data, unpack_address(address))
        except OSError:
            self.send_errors += 1

    def count_unread(self) -> int:
        """Return how many datagrams the kernel threw away because its buffer was full."""
        return self._kernel_drops() - self._dropped_before & 0xFFFFFFFF

    def _kernel_drops(self) -> int:
        size = 4 * (_MEMINFO_DROPS + 1)
        try:
            memory = self.sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, size)
        except OSError:  # a kernel that does not tell
            return 0
        return int.from_bytes(memory[4 * _MEMINFO_DROPS : size], sys.byteorder)

    def fileno(self) -> int:
        """Return the file descriptor, for the event loop."""
        return self._fd

    def close(self) -> None:
        """Close the socket."""
        self.sock.close()
