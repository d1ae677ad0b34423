"""The compiled loops on the way out: fan-out of one payload, and a room's whole block in one call.

One file, since numba's cache does not see changed imports. libsrtp lives inside pylibsrtp's
extension module and libopus inside cffi's handle; both are reached by pointer, so their entries are
given to LLVM under names of our own. `sendmmsg` is found in the process. Layout of `msghdr`,
`iovec` and `mmsghdr` is that of 64-bit Linux, checked at import.
"""

import struct
import sys

import numpy as np
from llvmlite import binding
from numba import njit, types

from webrtc.media.aiortc_adapter import srtp_protect_address
from webrtc.media.opus import encode_address
from webrtc.media.rtp import MAX_CSRCS, MAX_HEARD, MAX_PAYLOAD_BYTES

if not sys.platform.startswith("linux") or struct.calcsize("P") != 8:
    raise ImportError("the compiled fan-out needs 64-bit Linux")

_BATCH = 64
_ENOUGH = 8  # packets that do not wait for the next encode, for the sake of one system call
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
binding.add_symbol("ag06_opus_encode_float", encode_address())
_encode = types.ExternalFunction(
    "ag06_opus_encode_float",
    types.int32(types.uintp, types.uintp, types.int32, types.uintp, types.int32),
)

_TAIL_ROOM = 96  # CSRCs and levels of a header: at most 15 × 4 + 4 + 16 bytes

JOB = np.dtype(
    [
        ("encoder", np.uint64),  # pointer; 0: this job sends the payload of the one before it
        ("row", np.int32),  # of the mix arena
        ("first", np.int32),  # sample of that row where the packet begins
        ("count", np.int32),  # samples of the packet
        ("shift", np.int32),  # of the packet's media time behind the block's
        ("begin", np.int32),  # its listeners in the list of members
        ("end", np.int32),
        ("left_out", np.int32),  # which of the heard sources is not in this mix, -1 for none
        ("level_id", np.int32),
        ("toc", np.int32),  # first byte of the last payload, written
    ]
)

# What `_work` names: space for a batch, its lengths, and the structures of `sendmmsg` around it.
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
_work = (_packets, _lengths, _vectors, _names, _headers)


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
def _stage(filled, fd, table, rows, body, octets, media_time, first, marker, work):  # type: ignore[no-untyped-def]
    """Prepare a packet for each row behind the `filled` ones; return sent and prepared ones."""
    packets, lengths, vectors, names, headers = work
    size = 12 + len(body)
    if size + _SRTP_TAG_ROOM > _SLOT:
        return 0, filled
    sent = 0
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
    return sent, filled


@njit(cache=True)
def _fan_out(fd, table, rows, body, octets, media_time, first, marker, work):  # type: ignore[no-untyped-def]
    sent, filled = _stage(0, fd, table, rows, body, octets, media_time, first, marker, work)
    return sent + _flush(fd, work[4], filled)


def fan_out(fd, table, rows, body, octets, media_time, first, marker) -> int:  # type: ignore[no-untyped-def]
    """Send `body` (header tail and payload) to `rows`; see `SendTable.send`."""
    return int(_fan_out(fd, table, rows, body, octets, media_time, first, marker, _work))


_body = np.zeros(_TAIL_ROOM + MAX_PAYLOAD_BYTES, np.uint8)
_named_levels = np.zeros(MAX_CSRCS, np.uint8)
_levels = np.zeros(MAX_HEARD, np.uint8)


@njit(cache=True)
def _write_tail(body, order, left_out, csrcs, levels, level_id, named):  # type: ignore[no-untyped-def]
    """Write CSRC list and levels to end at `_TAIL_ROOM`; return the first byte and the length.

    Byte for byte what `rtp.csrc_header` makes of the sources in this order but the one left out.
    """
    count = 0
    for place in range(len(order)):
        if order[place] != left_out and count < MAX_CSRCS:
            named[count] = levels[order[place]]
            count += 1
    words = (count + 4) // 4 if level_id and count else 0
    size = 4 * count + (4 + 4 * words if words else 0)
    at = _TAIL_ROOM - size
    left = count
    for place in range(len(order)):
        if order[place] != left_out and left:
            left -= 1
            csrc = csrcs[order[place]]
            for k in range(4):
                body[at + k] = (csrc >> (24 - 8 * k)) & 255
            at += 4
    first = 0x80 | count
    if words:
        first |= 0x10
        body[at : at + 4 + 4 * words] = 0
        body[at] = 0xBE
        body[at + 1] = 0xDE
        body[at + 3] = words
        body[at + 4] = level_id << 4 | (count - 1)
        body[at + 5 : at + 5 + count] = named[:count]
    return first, size


@njit(cache=True)
def _sort_loudest_first(order, levels, csrcs):  # type: ignore[no-untyped-def]
    """Sort in place; it is nearly sorted already."""
    for i in range(1, len(order)):
        one = order[i]
        k = i - 1
        while k >= 0 and (
            levels[order[k]] > levels[one]
            or (levels[order[k]] == levels[one] and csrcs[order[k]] > csrcs[one])
        ):
            order[k + 1] = order[k]
            k -= 1
        order[k + 1] = one


@njit(cache=True)
def _send_block(  # type: ignore[no-untyped-def]
    fd,
    table,
    mixes,
    jobs,
    members,
    csrcs,
    meters,
    sources,
    order,
    block_time,
    body,
    levels,
    named,
    work,
):
    headers = work[4]
    for k in range(len(sources)):
        levels[k] = meters[sources[k]].level_dbov
    _sort_loudest_first(order, levels, csrcs)
    sent = 0
    filled = 0
    octets = np.int64(0)
    for j in range(len(jobs)):
        job = jobs[j]
        if job.encoder != 0:
            sound = mixes.ctypes.data + (job.row * 960 + job.first) * 8
            payload = body.ctypes.data + _TAIL_ROOM
            octets = np.int64(_encode(job.encoder, sound, job.count, payload, MAX_PAYLOAD_BYTES))  # type: ignore[call-overload]
            if octets < 1:
                _flush(fd, headers, filled)
                return octets - 1
            job.toc = body[_TAIL_ROOM]
        first, tail = _write_tail(body, order, job.left_out, csrcs, levels, job.level_id, named)
        now_sent, filled = _stage(
            filled,
            fd,
            table,
            members[job.begin : job.end],
            body[_TAIL_ROOM - tail : _TAIL_ROOM + octets],
            octets,
            (block_time + job.shift) & 0xFFFFFFFF,
            first,
            0,
            work,
        )
        sent += now_sent
        if filled >= _ENOUGH:
            sent += _flush(fd, headers, filled)
            filled = 0
    return sent + _flush(fd, headers, filled)


def send_block(  # type: ignore[no-untyped-def]
    fd, table, mixes, jobs, members, csrcs, meters, sources, order, block_time
) -> int:
    """Encode and send everything that a room has to say in a block; return the packets sent.

    Args:
        fd: The socket.
        table: `fanout.ROW` records.
        mixes: float32 (rows, 960, 2), the mixes of the block.
        jobs: `JOB` records.
        members: int32, rows of the table, of all jobs.
        csrcs: uint32 of each heard source.
        meters: `mixer.arena.METER` by row.
        sources: int32, row of each heard source, `MAX_HEARD` at most.
        order: int32, numbers of the heard sources in any order; left with the loudest first.
        block_time: Media time of the block's first sample.

    Returns:
        Below zero when libopus refused to encode: its code, minus one; what comes behind that job
        was not sent.
    """
    return int(
        _send_block(
            fd, table, mixes, jobs, members, csrcs, meters, sources, order, block_time, _body,
            _levels, _named_levels, _work,
        )
    )  # fmt: skip


_FORWARD_HEADER = 16  # fixed header and one CSRC


@njit(cache=True)
def _signed(value, bits):  # type: ignore[no-untyped-def]
    """Return a difference of counters of so many bits as the nearest step, forwards or back."""
    half = np.int64(1) << (bits - 1)
    return ((value + half) & (2 * half - 1)) - half


@njit(cache=True)
def _rewrite(row, sequence, timestamp, samples, marker, arrival_s, limits):  # type: ignore[no-untyped-def]
    """As `OutputStream.rewrite`: sequence, timestamp and marker that leave; -1 for nothing."""
    max_ahead, max_behind, max_pause, max_elapsed = limits
    step = _signed(sequence - np.int64(row.sequence_in), 16)
    pause = _signed(timestamp - np.int64(row.timestamp_in), 32)
    if not row.fresh and step <= 0:
        if -step > max_behind or _signed(sequence - np.int64(row.first), 16) < 0:
            return np.int64(-1), np.int64(0), marker
        return (
            (sequence + np.int64(row.sequence_offset)) & 0xFFFF,
            (timestamp + np.int64(row.timestamp_offset)) & 0xFFFFFFFF,
            marker,
        )
    if row.fresh or step > max_ahead or not 0 < pause <= max_pause:
        if row.begun:
            elapsed = np.int64((arrival_s - row.sent_s) * 48000.0 + 0.5)
            later = min(max(elapsed, np.int64(row.samples)), max_elapsed)
            row.sequence = (np.int64(row.sequence) + 1) & 0xFFFF
            row.timestamp = (np.int64(row.timestamp) + later) & 0xFFFFFFFF
        row.begun = 1
        row.fresh = 0
        row.first = sequence
        row.sequence_offset = (np.int64(row.sequence) - sequence) & 0xFFFF
        row.timestamp_offset = (np.int64(row.timestamp) - timestamp) & 0xFFFFFFFF
        marker = 0x80
    else:
        row.sequence = (np.int64(row.sequence) + step) & 0xFFFF
        row.timestamp = (np.int64(row.timestamp) + pause) & 0xFFFFFFFF
        if ((sequence - np.int64(row.first)) & 0xFFFF) > 0x4000:
            row.first = (sequence - 0x4000) & 0xFFFF
    row.sequence_in = sequence
    row.timestamp_in = timestamp
    row.samples = samples
    row.sent_s = arrival_s
    return np.int64(row.sequence), np.int64(row.timestamp), marker


@njit(cache=True)
def _forward(  # type: ignore[no-untyped-def]
    fd, outputs, rows, payload, csrc, sequence, timestamp, samples, marker, arrival_s, limits, work
):
    packets, lengths, vectors, names, headers = work
    octets = len(payload)
    size = _FORWARD_HEADER + octets
    if size + _SRTP_TAG_ROOM > _SLOT:
        return 0
    sent = 0
    filled = 0
    for position in range(len(rows)):
        row = outputs[rows[position]]
        if row.srtp == 0:
            continue
        out, time, mark = _rewrite(row, sequence, timestamp, samples, marker, arrival_s, limits)
        if out < 0:
            continue
        packet = packets[filled]
        packet[0] = 0x81
        packet[1] = row.payload_type | mark
        packet[2] = out >> 8
        packet[3] = out & 255
        for k in range(4):
            packet[4 + k] = (time >> (24 - 8 * k)) & 255
            packet[8 + k] = (row.ssrc >> (24 - 8 * k)) & 255
            packet[12 + k] = (csrc >> (24 - 8 * k)) & 255
        packet[_FORWARD_HEADER:size] = payload
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


def forward(  # type: ignore[no-untyped-def]
    fd, outputs, rows, payload, csrc, sequence, timestamp, samples, marker, arrival_s, limits
) -> int:
    """Send a packet of a publisher to `rows` of the outputs; see `ForwardTable.send`."""
    return int(
        _forward(
            fd, outputs, rows, payload, csrc, sequence, timestamp, samples, marker, arrival_s,
            limits, _work,
        )
    )  # fmt: skip
