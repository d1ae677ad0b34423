"""The compiled loops on the way in: fetch, decrypt and parse; and the lanes behind them.

A *lane* belongs to a sender whose packets come one after the other and on time. Its packets are put
aside here and played from here, without Python; at the first that is not as expected the lane is
*left*, and the playout that has lent its stream (`mixer.playout_stream`) takes it back.

One file, for numba's cache. Layouts of `mmsghdr` and of the SO_TIMESTAMPNS control message are
those of 64-bit Linux.
"""

import struct
import sys

import numpy as np
from llvmlite import binding
from numba import njit, types

from webrtc.media.aiortc_adapter import srtp_unprotect_address
from webrtc.media.opus import decode_address

if not sys.platform.startswith("linux") or struct.calcsize("P") != 8:
    raise ImportError("the compiled intake needs 64-bit Linux")

# Columns of a record.
KIND, ROW, SEQUENCE, TIMESTAMP, SSRC, TYPE, FLAGS, OFFSET, LENGTH, ARRIVAL_NS, ADDRESS = range(11)
COLUMNS = 11
# Kinds: what Python does with it.
OTHER, MEDIA, REJECTED, MALFORMED, TAKEN = range(5)
# Bits of FLAGS below which stand the seven bits of the level.
MARKER, VOICE, HAS_LEVEL = 0x400, 0x200, 0x100

MAX_AGE_S = 5.0  # an arrival stamp older than this is a wall clock that jumped

LANE = np.dtype(
    [
        ("active", np.uint8),
        ("type", np.uint8),  # RTP payload type
        ("toc", np.uint8),  # first byte of the payload: same coder, length and channels
        ("ssrc", np.uint32),
        ("next_sequence", np.uint16),
        ("next_timestamp", np.uint32),
        ("samples", np.int64),  # of a packet; as the fields of `SteadyStream` that follow
        ("position", np.int64),
        ("next", np.int64),
        ("low", np.int64),
        ("low_before", np.int64),
        ("low_left", np.int64),
        ("cooldown", np.int64),
        ("wait_s", np.float64),
        ("deadline_s", np.float64),
        ("late_after_s", np.float64),  # transit that raises the deadline
        ("spare_s", np.float64),
        ("skip_above", np.int64),
        ("arrived", np.int64),
        ("octets", np.int64),  # of the payloads that arrived
        ("jitter", np.float64),  # RFC 3550 section 6.4.1, in units of the RTP clock
        ("last_transit_s", np.float64),
        ("last_arrival_s", np.float64),
        ("decoder", np.uint64),
        ("source", np.int64),  # row of the source arena
        ("head", np.int64),  # which of the places holds what is played next
        ("waiting", np.int64),
        ("lengths", np.int64, (8,)),
        ("arrivals", np.float64, (8,)),
        ("noted", np.int64),
        ("transits", np.float64, (64,)),  # transit and arrival in turn
        ("late", np.uint8),  # one of the noted is behind the deadline
        ("hush", np.int64),  # packets in a row whose sender says that they are silent
        ("liar", np.uint8),  # and one of them was not
        ("silent", np.uint8, (8,)),  # what is said of each that waits
        ("payloads", np.uint8, (4096,)),
    ]
)
PLACES = 8
PLACE_BYTES = 512
MAX_NOTED = 32
NOTED_ENOUGH = 24
MAX_TRANSIT_STEP_S = 0.1
# Who says for so many packets to be silent (RFC 6464, -dBov) is not decoded but for two packets in
# some, lest somebody say so who is not: a decoder that comes out of silence may well be silent for
# the first of them. The first packets ring out what was before.
SILENT_LEVEL = 100
BELIEVED_AFTER = 25
CHECKED_AFTER = 5
CHECKED_EVERY = 50
CHECKED = 2
AUDIBLE = np.float32(0.001)
LOW_WINDOW = 12_000  # as in `mixer.playout_watch`
RATE_HZ = 48_000.0
# Outcomes of a lane's turn.
PLAYED, FOLD, LEAVE = range(3)

_STAMP = 35 << 32 | 1  # cmsg_type SO_TIMESTAMPNS, cmsg_level SOL_SOCKET
_NOBODY = -1

binding.add_symbol("ag06_srtp_unprotect", srtp_unprotect_address())
_unprotect = types.ExternalFunction(
    "ag06_srtp_unprotect", types.int32(types.uintp, types.uintp, types.uintp)
)
_recvmmsg = types.ExternalFunction(
    "recvmmsg", types.int32(types.int32, types.uintp, types.uint32, types.int32, types.uintp)
)


binding.add_symbol("ag06_opus_decode_float", decode_address())
_decode = types.ExternalFunction(
    "ag06_opus_decode_float",
    types.int32(types.uintp, types.uintp, types.int32, types.uintp, types.int32, types.int32),
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
    lanes,
    now_s,
    offset_s,
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
        lengths: int32 (2,), the first is work space; the second tells how many of the datagrams
            are for Python.
        records: int64 (batch, COLUMNS), written.
        lanes: `LANE` by row.
        now_s: The present, in the clock of the lanes.
        offset_s: From the wall clock, in which arrivals are stamped, to that.
    """
    for i in range(fetched):
        headers[i, 1] = 16
        headers[i, 5] = 64
    count = _recvmmsg(fd, headers.ctypes.data, len(data), 0x40, 0)  # type: ignore[call-overload]
    lengths[1] = max(count, 0)
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
            if lanes[row].active:
                arrival_s = record[ARRIVAL_NS] * 1e-9 + offset_s
                if not now_s - MAX_AGE_S < arrival_s <= now_s:
                    arrival_s = now_s
                if _put_aside(lanes[row], packet, record, arrival_s):
                    record[KIND] = TAKEN
                    lengths[1] -= 1
                else:
                    lanes[row].active = 0
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


@njit(cache=True)
def _put_aside(lane, packet, record, arrival_s):  # type: ignore[no-untyped-def]
    """Put a packet into its lane; False when it is not what the lane waits for."""
    length = record[LENGTH]
    start = record[OFFSET]
    timestamp = record[TIMESTAMP]
    if (
        record[SEQUENCE] != lane.next_sequence
        or timestamp != lane.next_timestamp
        or record[SSRC] != lane.ssrc
        or record[TYPE] != lane.type
        or not 2 < length <= PLACE_BYTES
        or packet[start] != lane.toc
        or lane.waiting == PLACES
        or lane.noted == MAX_NOTED
    ):
        return False
    position = lane.position + lane.samples
    transit_s = arrival_s - position / RATE_HZ
    step_s = transit_s - lane.last_transit_s
    if abs(step_s) > MAX_TRANSIT_STEP_S:
        return False
    place = (lane.head + lane.waiting) % PLACES
    lane.payloads[place * PLACE_BYTES : place * PLACE_BYTES + length] = packet[
        start : start + length
    ]
    lane.lengths[place] = length
    lane.arrivals[place] = arrival_s
    flags = record[FLAGS]
    lane.silent[place] = flags & HAS_LEVEL and flags & 0x7F >= SILENT_LEVEL
    lane.waiting += 1
    lane.transits[2 * lane.noted] = transit_s
    lane.transits[2 * lane.noted + 1] = arrival_s
    lane.noted += 1
    if transit_s > lane.late_after_s:
        lane.late = 1
    lane.arrived += 1
    lane.octets += length
    lane.jitter += (abs(step_s) * RATE_HZ - lane.jitter) / 16
    lane.last_transit_s = transit_s
    lane.last_arrival_s = arrival_s
    lane.position = position
    lane.next_sequence = (lane.next_sequence + 1) & 0xFFFF
    lane.next_timestamp = (timestamp + lane.samples) & 0xFFFFFFFF
    return True


@njit(cache=True)
def play(lanes, rows, sources, samples, now_s, outcomes):  # type: ignore[no-untyped-def]
    """Write the next block of each lane, if it is played as it came.

    Args:
        lanes: `LANE` records.
        rows: int32 (k,), whose turn it is.
        sources: float32 (rows, 960, 2), written at each lane's `source`.
        samples: Length of the block.
        now_s: The instant of the block.
        outcomes: int8 (k,), written: PLAYED; FOLD, when the playout has to hear of what was noted
            before it can be told what to do; LEAVE, when this block is not for the lane.

    Returns:
        How many were not played.
    """
    others = 0
    for i in range(len(rows)):
        outcomes[i] = _play_one(lanes[rows[i]], sources, samples, now_s)
        others += outcomes[i] != PLAYED
    return others


@njit(cache=True)
def _play_one(lane, sources, samples, now_s):  # type: ignore[no-untyped-def]
    if not lane.active:
        return LEAVE
    length = lane.samples
    count = samples // length
    if lane.waiting < count or samples != count * length:
        return LEAVE
    if count > 1 and lane.toc & 3:
        return LEAVE  # only packets of one frame are sure to be decoded, one after the other
    if lane.late or lane.noted >= NOTED_ENOUGH:
        return FOLD
    # As `Playout._excess` where packets stand in line with the block: the last one counts.
    last = lane.next + samples - length
    spare_s = now_s - last / RATE_HZ - lane.deadline_s - lane.spare_s
    excess = np.int64(np.floor(spare_s * RATE_HZ / length)) * length
    if excess < 0 or excess - length >= lane.skip_above:
        return LEAVE
    low = min(lane.low, excess)
    low_before = lane.low_before
    low_left = lane.low_left - samples
    if low_left <= 0:
        low_before = low
        low = excess
        low_left = LOW_WINDOW
    if lane.cooldown - samples <= 0 and min(low, low_before) > 0:
        return LEAVE
    hush = lane.hush
    for i in range(count):
        place = (lane.head + i) % PLACES
        sound = sources[lane.source, i * length : (i + 1) * length]
        hush = hush + 1 if lane.silent[place] else 0
        if hush > BELIEVED_AFTER and hush % CHECKED_EVERY >= CHECKED and not lane.liar:
            sound[:] = np.float32(0.0)
            continue
        payload = lane.payloads.ctypes.data + place * PLACE_BYTES
        octets = np.int32(lane.lengths[place])
        if _decode(lane.decoder, payload, octets, sound.ctypes.data, length, 0) != length:  # type: ignore[call-overload]
            return LEAVE  # of a single packet: see above
        if hush > CHECKED_AFTER and np.abs(sound).max() > AUDIBLE:
            lane.liar = 1
    lane.hush = hush
    lane.low = low
    lane.low_before = low_before
    lane.low_left = low_left
    lane.cooldown -= samples
    for _ in range(count):
        lane.wait_s += (now_s - lane.arrivals[lane.head] - lane.wait_s) / 32
        lane.head = (lane.head + 1) % PLACES
    lane.waiting -= count
    lane.next += samples
    return PLAYED
