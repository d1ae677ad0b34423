"""The tracks of all listeners of forward rooms: one payload to many, each with its own numbers.

A row belongs to one track of one listener from `add` to `remove`. The numbers of its stream go on
whatever source is on it, by the rules of `mixer.forward_stream`; the compiled loop keeps them in a
record and has those rules once more, the plain one asks `OutputStream` itself. The one CSRC of a
packet names the participant whose sound it is, so that a page can tell to the packet.
"""

import logging
import secrets
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from pylibsrtp import Error as SrtpError
from pylibsrtp import Session

from mixer.forward_stream import MAX_AHEAD, MAX_BEHIND, MAX_ELAPSED, MAX_PAUSE, OutputStream
from mixer.playout_packet import SAMPLE_RATE_HZ, MediaPacket
from webrtc.media import rtp
from webrtc.media.aiortc_adapter import srtp_pointer
from webrtc.media.fanout import Rows, load_kernel, write_name
from webrtc.media.rtp import MAX_PAYLOAD_BYTES
from webrtc.media.udp import UdpPort, unpack_address

logger = logging.getLogger(__name__)

OUTPUT = np.dtype(
    [
        ("srtp", np.uint64),  # pointer to the libsrtp session, for the compiled loop
        ("packets", np.uint64),
        ("octets", np.uint64),
        ("sent_s", np.float64),  # from here on as in `OutputStream`
        ("timestamp", np.uint32),
        ("timestamp_in", np.uint32),
        ("timestamp_offset", np.uint32),
        ("samples", np.int32),
        ("sequence", np.uint16),
        ("sequence_in", np.uint16),
        ("sequence_offset", np.uint16),
        ("first", np.uint16),
        ("begun", np.uint8),
        ("fresh", np.uint8),
        ("payload_type", np.uint8),
        ("ssrc", np.uint32),
        ("name", np.uint8, (16,)),  # sockaddr_in
    ]
)
_LIMITS = (MAX_AHEAD, MAX_BEHIND, MAX_PAUSE, MAX_ELAPSED)


class ForwardTable:
    """All outputs of a worker and the loop that sends to some of them.

    Attributes:
        sent: Packets that left.
        dropped: Packets that did not: too late to, refused by SRTP or by the socket.
    """

    def __init__(self, port: UdpPort, *, compiled: bool = True) -> None:
        """Make an empty table that sends through `port`; the plain loop if not `compiled`."""
        self._port = port
        self._kernel = load_kernel() if compiled else None
        self._rows: npt.NDArray[np.void] = np.zeros(64, OUTPUT)
        self._sessions: list[Session | None] = [None] * 64
        self._addresses = [0] * 64
        self._streams: dict[int, OutputStream] = {}  # of rows that are sent to without the kernel
        self._detours: dict[int, Callable[[bytes], None]] = {}
        self._free = list(range(63, -1, -1))
        self.sent = 0
        self.dropped = 0

    def add(
        self,
        session: Session,
        ssrc: int,
        payload_type: int,
        address: int,
        via: Callable[[bytes], None] | None = None,
    ) -> int:
        """Return the row of a new output; the arguments are those of `SendTable.add`."""
        if not self._free:
            self._grow()
        index = self._free.pop()
        row = self._rows[index]
        row["sequence"], row["timestamp"] = secrets.randbits(15), secrets.randbits(32)
        row["fresh"] = 1
        row["ssrc"], row["payload_type"] = ssrc, payload_type
        if self._kernel is not None and via is None:
            row["srtp"] = srtp_pointer(session)
        else:
            self._streams[index] = OutputStream(int(row["sequence"]), int(row["timestamp"]))
        if via is not None:
            self._detours[index] = via
        self._sessions[index] = session
        self.move(index, address)
        return index

    def move(self, index: int, address: int) -> None:
        """Send to another address from now on (the client roamed)."""
        write_name(self._rows[index]["name"], address)
        self._addresses[index] = address

    def remove(self, index: int) -> None:
        """Free a row."""
        self._rows[index] = np.zeros((), OUTPUT)
        self._streams.pop(index, None)
        self._detours.pop(index, None)
        self._sessions[index] = None
        self._free.append(index)

    def break_off(self, rows: Rows) -> None:
        """Take note that another source, or another stream, is on these rows from now on."""
        self._rows["fresh"][rows] = 1
        if self._streams:
            for index in rows.tolist():
                if index in self._streams:
                    self._streams[index].break_off()

    def report(self, index: int, now_s: float) -> tuple[int, int, int]:
        """Return packets and payload octets sent to a row, and its RTP timestamp of an instant."""
        row = self._rows[index]
        stream = self._streams.get(index)
        sent_s = float(row["sent_s"]) if stream is None else stream.sent_s
        timestamp = int(row["timestamp"]) if stream is None else stream.timestamp
        elapsed = round((now_s - sent_s) * SAMPLE_RATE_HZ)
        return int(row["packets"]), int(row["octets"]), timestamp + elapsed & 0xFFFFFFFF

    def send(self, rows: Rows, packet: MediaPacket, samples: int, csrc: int) -> int:
        """Send a publisher's packet to `rows` and return how many packets left.

        Args:
            rows: int32 indices.
            packet: Its payload is sent as it is; one above `MAX_PAYLOAD_BYTES` is dropped.
            samples: Its length at 48 kHz.
            csrc: The publisher's number.
        """
        sent = 0
        if len(packet.payload) <= MAX_PAYLOAD_BYTES:
            if self._kernel is not None:
                sent = self._kernel.forward(
                    self._port.fileno(),
                    self._rows,
                    rows,
                    np.frombuffer(packet.payload, np.uint8),
                    csrc,
                    packet.sequence,
                    packet.timestamp,
                    samples,
                    0x80 if packet.marker else 0,
                    packet.arrival_s,
                    _LIMITS,
                )
            if self._streams:
                sent += self._send_plain(rows, packet, samples, csrc)
        self.sent += sent
        self.dropped += len(rows) - sent
        return sent

    def _send_plain(self, rows: Rows, packet: MediaPacket, samples: int, csrc: int) -> int:
        sent = 0
        for index in rows.tolist():
            stream, session = self._streams.get(index), self._sessions[index]
            if stream is None or session is None:
                continue
            out = stream.rewrite(
                packet.sequence, packet.timestamp, samples, packet.marker, packet.arrival_s
            )
            if out is None:
                continue
            row = self._rows[index]
            first, tail = rtp.csrc_header([csrc], [], 0)
            second = int(row["payload_type"]) | (0x80 if out.marker else 0)
            fixed = rtp.pack_fixed(first, second, out.sequence, out.timestamp, int(row["ssrc"]))
            try:
                protected = session.protect(fixed + tail + packet.payload)
                detour = self._detours.get(index)
                if detour is not None:
                    detour(protected)
                else:
                    self._port.sock.sendto(protected, unpack_address(self._addresses[index]))
            except (SrtpError, OSError):
                continue
            row["packets"] += 1
            row["octets"] += len(packet.payload)
            sent += 1
        return sent

    def _grow(self) -> None:
        size = len(self._rows)
        self._rows = np.concatenate([self._rows, np.zeros(size, OUTPUT)])
        self._sessions.extend([None] * size)
        self._addresses.extend([0] * size)
        self._free.extend(range(2 * size - 1, size - 1, -1))
