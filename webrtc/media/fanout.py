"""Fan-out: one encoded payload to many subscribers, each with its own RTP header and SRTP key.

This is the hot loop of a large room: at 1,200 listeners it runs 60,000 times a second. The compiled
loop writes header and payload, calls libsrtp and hands batches to `sendmmsg`, all through numba, so
that no compiler is needed on the host. Where numba cannot be had, or the platform lacks `sendmmsg`,
a plain loop does the same work packet by packet.

The table is a structure of arrays by row. A row belongs to one subscriber from `add` to `remove`;
sequence numbers and timestamps of a row never jump backwards, whatever mix feeds it.
"""

import importlib
import logging
import secrets
from collections.abc import Callable
from types import ModuleType

import numpy as np
import numpy.typing as npt
from pylibsrtp import Error as SrtpError
from pylibsrtp import Session

from webrtc.media import rtp
from webrtc.media.aiortc_adapter import srtp_pointer
from webrtc.media.opus_library import OpusError
from webrtc.media.rtp import MAX_PAYLOAD_BYTES
from webrtc.media.udp import UdpPort, unpack_address

logger = logging.getLogger(__name__)

ROW = np.dtype(
    [
        ("srtp", np.uint64),  # pointer to the libsrtp session, for the compiled loop
        ("packets", np.uint64),
        ("octets", np.uint64),
        ("ssrc", np.uint32),
        ("timestamp_offset", np.uint32),
        ("last_timestamp", np.uint32),
        ("sequence", np.uint16),
        ("payload_type", np.uint8),
        ("red_type", np.uint8),
        ("name", np.uint8, (16,)),  # sockaddr_in
    ]
)
Rows = npt.NDArray[np.int32]


class SendTable:
    """All subscribers of a worker and the loop that sends to some of them."""

    def __init__(self, port: UdpPort, *, compiled: bool = True) -> None:
        """Make an empty table that sends through `port`.

        Args:
            port: The worker's socket.
            compiled: Use the compiled loop when it can be had.
        """
        self._port = port
        self._rows = np.zeros(64, ROW)
        self._sessions: list[Session | None] = [None] * 64
        self._addresses: list[int] = [0] * 64
        self._detours: dict[int, Callable[[bytes], None]] = {}
        self._free = list(range(63, -1, -1))
        self.sent = 0
        self.dropped = 0
        self._kernel = load_kernel() if compiled else None
        self.engine = "compiled" if self._kernel else "plain"

    def add(
        self,
        session: Session,
        ssrc: int,
        payload_type: int,
        address: int,
        via: Callable[[bytes], None] | None = None,
    ) -> int:
        """Return the row of a new subscriber.

        Args:
            session: Its outgoing SRTP session; the table keeps it alive.
            ssrc: SSRC announced in the SDP.
            payload_type: Negotiated type of Opus.
            address: Where packets go, as `udp.pack_address` gives it.
            via: Sends a protected packet instead of the table's own socket.
        """
        if not self._free:
            self._grow()
        index = self._free.pop()
        row = self._rows[index]
        if via is None:
            row["srtp"] = srtp_pointer(session)
        else:
            self._detours[index] = via
        row["packets"] = row["octets"] = 0
        row["ssrc"] = ssrc
        row["payload_type"] = payload_type
        row["sequence"] = secrets.randbits(15)
        row["timestamp_offset"] = secrets.randbits(32)
        self._sessions[index] = session
        self.move(index, address)
        return index

    def move(self, index: int, address: int) -> None:
        """Send to another address from now on (the client roamed)."""
        write_name(self._rows[index]["name"], address)
        self._addresses[index] = address

    def remove(self, index: int) -> None:
        """Free a row."""
        self._rows[index] = np.zeros((), ROW)
        self._detours.pop(index, None)
        self._sessions[index] = None
        self._free.append(index)

    def counters(self, index: int) -> tuple[int, int, int]:
        """Return packets, payload octets and the last RTP timestamp sent to a row."""
        row = self._rows[index]
        return int(row["packets"]), int(row["octets"]), int(row["last_timestamp"])

    def timestamp(self, index: int, media_time: int) -> int:
        """Return the RTP timestamp that a row shows for a room's media time in samples."""
        return int(self._rows[index]["timestamp_offset"]) + media_time & 0xFFFFFFFF

    def shift(self, index: int, samples: int) -> None:
        """Move a row's timestamps, so that a change of room media clock shows no jump back."""
        row = self._rows[index]
        row["timestamp_offset"] = np.uint32(int(row["timestamp_offset"]) + samples & 0xFFFFFFFF)

    def send(
        self, rows: Rows, payload: bytes, media_time: int, marker: bool, header: tuple[int, bytes]
    ) -> int:
        """Send `payload` to every row of `rows` and return how many packets left.

        Args:
            rows: int32 indices.
            payload: At most `MAX_PAYLOAD_BYTES`.
            media_time: Room media time of the first sample, in samples at 48 kHz.
            marker: Whether a talk spurt begins (RFC 7587 section 4.1 via RFC 3551).
            header: First byte and tail of the header, of `rtp.csrc_header`.
        """
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise ValueError(f"payload of {len(payload)} bytes")
        first, tail = header
        if self._kernel is not None:
            sent = self._kernel.fan_out(
                self._port.fileno(),
                self._rows,
                rows,
                np.frombuffer(tail + payload, np.uint8),
                len(payload),
                media_time & 0xFFFFFFFF,
                first,
                0x80 if marker else 0,
            )
            # The compiled loop leaves rows without a session pointer alone.
            others = [row for row in rows.tolist() if row in self._detours] if self._detours else []
        else:
            sent, others = 0, rows.tolist()
        if others:
            sent += self._send_plain(
                others, tail + payload, len(payload), media_time, header[0], marker
            )
        self.sent += sent
        self.dropped += len(rows) - sent
        return int(sent)

    @property
    def sends_blocks(self) -> bool:
        """Whether `send_block` can be used: compiled, and every row has its own address."""
        return self._kernel is not None and not self._detours

    def send_block(
        self,
        mixes: npt.NDArray[np.float32],
        jobs: npt.NDArray[np.void],
        members: Rows,
        csrcs: npt.NDArray[np.uint32],
        meters: npt.NDArray[np.void],
        sources: Rows,
        order: npt.NDArray[np.int32],
        block_time: int,
    ) -> int:
        """Encode and send all that a room has to say in a block; return how many packets left.

        The arguments are those of `fanout_kernel.send_block`; only while `sends_blocks`.

        Raises:
            OpusError: libopus refused to encode.
        """
        if self._kernel is None:
            raise RuntimeError("the compiled loop is not available")
        fd = self._port.fileno()
        sent: int = self._kernel.send_block(
            fd, self._rows, mixes, jobs, members, csrcs, meters, sources, order, block_time
        )
        if sent < 0:
            raise OpusError(sent + 1)
        self.sent += sent
        self.dropped += len(members) - sent
        return sent

    def _send_plain(
        self, rows: list[int], body: bytes, octets: int, media_time: int, first: int, marker: bool
    ) -> int:
        sent = 0
        for index in rows:
            row, session = self._rows[index], self._sessions[index]
            if session is None:
                continue
            sequence = int(row["sequence"]) + 1 & 0xFFFF
            timestamp = self.timestamp(index, media_time)
            row["sequence"], row["last_timestamp"] = sequence, timestamp
            second = int(row["payload_type"]) | (0x80 if marker else 0)
            fixed = rtp.pack_fixed(first, second, sequence, timestamp, int(row["ssrc"]))
            try:
                packet = session.protect(fixed + body)
                detour = self._detours.get(index)
                if detour is not None:
                    detour(packet)
                else:
                    self._port.sock.sendto(packet, unpack_address(self._addresses[index]))
            except (SrtpError, OSError):
                continue
            row["packets"] += 1
            row["octets"] += octets
            sent += 1
        return sent

    def _grow(self) -> None:
        size = len(self._rows)
        self._rows = np.concatenate([self._rows, np.zeros(size, ROW)])
        self._sessions.extend([None] * size)
        self._addresses.extend([0] * size)
        self._free.extend(range(2 * size - 1, size - 1, -1))


def write_name(name: npt.NDArray[np.uint8], address: int) -> None:
    """Write an address (`udp.pack_address`) as a `sockaddr_in` of 16 bytes."""
    name[:] = 0
    name[:2].view(np.uint16)[0] = 2  # AF_INET, host order
    name[2:4] = [address >> 8 & 255, address & 255]
    name[4:8] = list((address >> 16).to_bytes(4, "big"))


def load_kernel() -> ModuleType | None:
    """Return the compiled loops, None where they cannot be had."""
    try:
        return importlib.import_module("webrtc.media.fanout_kernel")
    except Exception as error:
        # Any failure to compile or cache leaves the plain loop, which is slower but complete.
        logger.warning("compiled fan-out is not available: %s", error)
        return None
