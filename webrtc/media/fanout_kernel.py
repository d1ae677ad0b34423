"""The compiled fan-out loop. Keep it in one file: numba's cache does not see changed imports.

libsrtp lives inside pylibsrtp's extension module and is reached by pointer, so its entry is given
to LLVM under a name of our own; `sendmmsg` is found in the process. Layout of `msghdr`, `iovec` and
`mmsghdr` is that of 64-bit Linux, checked at import.
"""

import struct
import sys

import numpy as np
from llvmlite import binding
from numba import njit, types

from webrtc.media.aiortc_adapter import srtp_protect_address

if not sys.platform.startswith("linux") or struct.calcsize("P") != 8:
    raise ImportError("the compiled fan-out needs 64-bit Linux")

_BATCH = 64
_SLOT = 1536  # header, CSRC list, payload and SRTP tag
_SRTP_TAG_ROOM = 160  # libsrtp may write up to SRTP_MAX_TRAILER_LEN behind the packet
_HEADER_WORDS = 8  # sizeof(struct mmsghdr) / 8

binding.add_symbol("ag06_srtp_protect", srtp_protect_address())
_protect = types.ExternalFunction(
    "ag06_srtp_protect", types.int32(types.uintp, types.uintp, types.uintp)
)
_sendmmsg = types.ExternalFunction(
    "sendmmsg", types.int32(types.int32, types.uintp, types.uint32, types.int32)
)

_packets = np.zeros((_BATCH, _SLOT), np.uint8)
_lengths = np.zeros(1, np.int32)
_vectors = np.zeros((_BATCH, 2), np.uint64)
_names = np.zeros((_BATCH, 16), np.uint8)
_headers = np.zeros((_BATCH, _HEADER_WORDS), np.uint64)
for _i in range(_BATCH):
    _vectors[_i, 0] = _packets[_i].ctypes.data
    _headers[_i, 0] = _names[_i].ctypes.data
    _headers[_i, 1] = 16
    _headers[_i, 2] = _vectors[_i].ctypes.data
    _headers[_i, 3] = 1


@njit(cache=True)
def _flush(fd, headers, count):  # type: ignore[no-untyped-def]
    """Hand `count` prepared packets to the kernel; return how many the socket took.

    One that it refuses is dropped alone: an address without a route must not silence the others.
    """
    done = 0
    taken = 0
    while done < count:
        sent = _sendmmsg(fd, headers.ctypes.data + done * 64, count - done, 0x40)  # type: ignore[call-overload]
        if sent > 0:
            done += sent
            taken += sent
        else:
            done += 1
    return taken


@njit(cache=True)
def _fan_out(  # type: ignore[no-untyped-def]
    fd,
    table,
    rows,
    body,
    octets,
    media_time,
    first,
    marker,
    packets,
    lengths,
    vectors,
    names,
    headers,
):
    size = 12 + len(body)
    if size + _SRTP_TAG_ROOM > _SLOT:
        return 0
    sent = 0
    filled = 0
    for position in range(len(rows)):
        row = table[rows[position]]
        if row.srtp == 0:
            continue
        sequence = (row.sequence + 1) & 0xFFFF
        timestamp = (row.timestamp_offset + media_time) & 0xFFFFFFFF
        row.sequence = sequence
        row.last_timestamp = timestamp
        packet = packets[filled]
        packet[0] = first
        packet[1] = row.payload_type | marker
        packet[2] = sequence >> 8
        packet[3] = sequence & 255
        for k in range(4):
            packet[4 + k] = (timestamp >> (24 - 8 * k)) & 255
            packet[8 + k] = (row.ssrc >> (24 - 8 * k)) & 255
        packet[12:size] = body
        lengths[0] = size
        if _protect(row.srtp, packet.ctypes.data, lengths.ctypes.data) != 0:
            continue
        names[filled] = row.name
        vectors[filled, 1] = lengths[0]
        row.packets += 1
        row.octets += octets
        filled += 1
        if filled == _BATCH:
            sent += _flush(fd, headers, filled)
            filled = 0
    return sent + _flush(fd, headers, filled)


def fan_out(fd, table, rows, body, octets, media_time, first, marker) -> int:  # type: ignore[no-untyped-def]
    """Send `body` (header tail and payload) to `rows`; see `SendTable.send`."""
    return int(
        _fan_out(
            fd, table, rows, body, octets, media_time, first, marker,
            _packets, _lengths, _vectors, _names, _headers,
        )
    )  # fmt: skip
