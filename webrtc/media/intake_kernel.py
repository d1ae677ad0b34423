"""The compiled receive loop: fetch, decrypt and parse in one call. One file, for numba's cache.

Layouts of `mmsghdr` and of the SO_TIMESTAMPNS control message are those of 64-bit Linux.
"""

import struct
import sys

import numpy as np
from llvmlite import binding
from numba import njit, types

from webrtc.media.aiortc_adapter import srtp_unprotect_address

if not sys.platform.startswith("linux") or struct.calcsize("P") != 8:
    raise ImportError("the compiled intake needs 64-bit Linux")

# Columns of a record.
KIND, ROW, SEQUENCE, TIMESTAMP, SSRC, TYPE, FLAGS, OFFSET, LENGTH, ARRIVAL_NS, ADDRESS = range(11)
COLUMNS = 11
# Kinds: what Python does with it.
OTHER, MEDIA, REJECTED, MALFORMED = range(4)
# Bits of FLAGS below which stand the seven bits of the level.
MARKER, VOICE, HAS_LEVEL = 0x400, 0x200, 0x100

_STAMP = 35 << 32 | 1  # cmsg_type SO_TIMESTAMPNS, cmsg_level SOL_SOCKET
_NOBODY = -1

binding.add_symbol("ag06_srtp_unprotect", srtp_unprotect_address())
_unprotect = types.ExternalFunction(
    "ag06_srtp_unprotect", types.int32(types.uintp, types.uintp, types.uintp)
)
_recvmmsg = types.ExternalFunction(
    "recvmmsg", types.int32(types.int32, types.uintp, types.uint32, types.int32, types.uintp)
)


@njit(cache=True)
def find(keys, rows, address):  # type: ignore[no-untyped-def]
    """Return the row of an address in the hash table, or -1 (linear probing, 0 is empty)."""
    mask = len(keys) - 1
    slot = (address * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(40)) & np.uint64(mask)
    while keys[slot] != 0:
        if keys[slot] == address:
            return rows[slot]
        slot = (slot + np.uint64(1)) & np.uint64(mask)
    return _NOBODY


@njit(cache=True)
def insert(keys, rows, address, row):  # type: ignore[no-untyped-def]
    """Put an address into the hash table, which has a free place."""
    mask = len(keys) - 1
    slot = (address * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(40)) & np.uint64(mask)
    while keys[slot] != 0 and keys[slot] != address:
        slot = (slot + np.uint64(1)) & np.uint64(mask)
    keys[slot] = address
    rows[slot] = row


@njit(cache=True)
def insert_all(keys, rows, addresses, address_rows):  # type: ignore[no-untyped-def]
    """Put all of these addresses into the hash table, which has the room."""
    for i in range(len(addresses)):
        insert(keys, rows, addresses[i], address_rows[i])


@njit(cache=True)
def receive(  # type: ignore[no-untyped-def]
    fd,
    headers,
    names,
    controls,
    data,
    fetched,
    keys,
    key_rows,
    sessions,
    level_ids,
    lengths,
    records,
):
    """Fetch a batch and describe each datagram in a row of `records`; return how many there are.

    Args:
        fd: The socket.
        headers: uint64 (batch, 8), the prepared `mmsghdr` array.
        names: uint8 (batch, 16), sender addresses.
        controls: int64 (batch, 8), control messages.
        data: uint8 (batch, 2048); RTP of known senders is decrypted in place.
        fetched: How many entries the last call used: their in-out lengths are restored.
        keys: uint64, addresses of the hash table.
        key_rows: int32, their rows.
        sessions: uint64 by row, libsrtp session.
        level_ids: uint8 by row, RFC 6464 extension id or 0.
        lengths: int32 (1,), work space.
        records: int64 (batch, COLUMNS), written.
    """
    for i in range(fetched):
        headers[i, 1] = 16
        headers[i, 5] = 64
    count = _recvmmsg(fd, headers.ctypes.data, len(data), 0x40, 0)  # type: ignore[call-overload]
    for i in range(count):
        record = records[i]
        packet = data[i]
        size = np.int64(headers[i, 7] & np.uint64(0xFFFFFFFF))
        name = names[i]
        address = np.uint64(0)
        for k in (4, 5, 6, 7, 2, 3):  # IPv4 address, then port
            address = address << np.uint64(8) | np.uint64(name[k])
        record[KIND] = OTHER
        record[LENGTH] = size
        record[OFFSET] = 0
        record[ADDRESS] = np.int64(address)
        stamped = controls[i, 1] == _STAMP
        record[ARRIVAL_NS] = controls[i, 2] * 1_000_000_000 + controls[i, 3] if stamped else 0
        if size < 12 or packet[0] >> 6 != 2 or 192 <= packet[1] <= 223:
            continue
        row = find(keys, key_rows, address)
        if row < 0 or sessions[row] == 0:
            continue
        record[ROW] = row
        lengths[0] = size
        if _unprotect(sessions[row], packet.ctypes.data, lengths.ctypes.data) != 0:
            record[KIND] = REJECTED
        elif _parse(packet, np.int64(lengths[0]), level_ids[row], record):
            record[KIND] = MEDIA
        else:
            record[KIND] = MALFORMED
    return max(count, 0)


@njit(cache=True)
def _parse(packet, size, level_id, record):  # type: ignore[no-untyped-def]
    """Describe a decrypted RTP packet; return whether it is well-formed (see `rtp.parse_rtp`)."""
    if size < 12:
        return False
    first = packet[0]
    second = packet[1]
    flags = np.int64(MARKER) if second & 0x80 else np.int64(0)
    record[TYPE] = second & 0x7F
    record[SEQUENCE] = np.int64(packet[2]) << 8 | np.int64(packet[3])
    timestamp = np.int64(0)
    ssrc = np.int64(0)
    for k in range(4):
        timestamp = timestamp << 8 | np.int64(packet[4 + k])
        ssrc = ssrc << 8 | np.int64(packet[8 + k])
    record[TIMESTAMP] = timestamp
    record[SSRC] = ssrc
    position = 12 + 4 * np.int64(first & 15)
    if first & 0x10:
        if position + 4 > size:
            return False
        one_byte = packet[position] == 0xBE and packet[position + 1] == 0xDE
        words = np.int64(packet[position + 2]) << 8 | np.int64(packet[position + 3])
        position += 4
        end = position + 4 * words
        if end > size:
            return False
        at = position
        while one_byte and level_id and at < end:
            head = packet[at]
            if head == 0:
                at += 1
                continue
            if head >> 4 == 15:
                break
            if head >> 4 == level_id and at + 1 < end:
                level = np.int64(packet[at + 1])
                flags |= HAS_LEVEL | (level & 0x7F)
                if level & 0x80:
                    flags |= VOICE
                break
            at += 2 + np.int64(head & 15)
        position = end
    if first & 0x20:
        size -= np.int64(packet[size - 1])
    if position > size:
        return False
    record[FLAGS] = flags
    record[OFFSET] = position
    record[LENGTH] = size - position
    return True
