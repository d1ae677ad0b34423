"""What a worker reads from its socket: media to those who play it, everything else to ICE.

With the compiled loop a media packet is fetched, decrypted and parsed without Python; without it
(no numba, or full ICE) packets take the same way step by step. Either way the sink of a row gets
the same calls.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from types import ModuleType

import numpy as np
from pylibsrtp import Session

from mixer.playout_packet import MediaPacket
from webrtc.media.aiortc_adapter import srtp_pointer
from webrtc.media.lanes import LaneTable
from webrtc.media.udp import BATCH, Datagram, UdpPort

logger = logging.getLogger(__name__)

MAX_ROUTES = 8  # addresses of one sender; the oldest goes first

MediaSink = Callable[[MediaPacket, int, int], None]  # packet, payload type, SSRC


class Intake:
    """Reads a worker's socket.

    Attributes:
        lanes: Senders whose packets need no Python; None without the compiled loop.
    """

    def __init__(self, port: UdpPort, counters: Counter[str], *, compiled: bool = True) -> None:
        """Read from `port` and count drops into `counters`."""
        self._port = port
        self._counters = counters
        self._kernel = _load_kernel() if compiled else None
        self._rows: dict[int, int] = {}  # address -> row
        self._routes: list[list[int]] = []  # by row, the oldest first
        self._sinks: list[MediaSink | None] = []
        self._kept: list[Session | None] = []
        self._free: list[int] = []
        self.lanes = LaneTable(self._kernel) if self._kernel is not None else None
        self._sessions = np.zeros(64, np.uint64)
        self._level_ids = np.zeros(64, np.uint8)
        self._keys = np.zeros(256, np.uint64)
        self._key_rows = np.zeros(256, np.int32)
        self._lengths = np.zeros(2, np.int32)
        self._records = np.zeros((BATCH, 11), np.int64)
        self._fetched = BATCH

    @property
    def is_compiled(self) -> bool:
        """Whether media takes the compiled way."""
        return self._kernel is not None

    def add(self, session: Session, level_id: int, sink: MediaSink) -> int | None:
        """Return a row for a sender whose media goes to `sink`, None without the compiled loop.

        Args:
            session: Its incoming SRTP session, kept alive until `remove`.
            level_id: Negotiated extension id of RFC 6464, 0 without.
            sink: Called with each authentic packet, its payload type and its SSRC.
        """
        if self.lanes is None:
            return None
        if self._free:
            row = self._free.pop()
        else:
            row = len(self._sinks)
            self._sinks.append(None)
            self._kept.append(None)
            self._routes.append([])
            if row == len(self._sessions):
                self._sessions = np.concatenate([self._sessions, np.zeros(row, np.uint64)])
                self._level_ids = np.concatenate([self._level_ids, np.zeros(row, np.uint8)])
                self.lanes.grow(2 * row)
        self._sinks[row], self._kept[row] = sink, session
        self._level_ids[row] = level_id
        self._sessions[row] = srtp_pointer(session)
        return row

    def route(self, address: int, row: int) -> None:
        """Expect a sender's media from this address too."""
        if self._rows.get(address) == row:
            return
        self._rows[address] = row
        if self._kernel is None:
            return
        routes = self._routes[row]
        routes.append(address)
        if len(routes) > MAX_ROUTES:
            self._forget(routes.pop(0), row)
            self._rebuild(len(self._keys))
        elif 2 * len(self._rows) > len(self._keys):
            self._rebuild(2 * len(self._keys))
        else:
            self._kernel.insert(self._keys, self._key_rows, np.uint64(address), row)

    def leave_lane(self, row: int) -> None:
        """Let the playout of a sender have its stream back, before it is told of a packet."""
        lane = self.lanes.get(row) if self.lanes is not None else None
        if lane is not None:
            lane.leave()

    def remove(self, row: int) -> None:
        """Forget a sender and its addresses."""
        self.leave_lane(row)
        self._sinks[row] = self._kept[row] = None
        self._sessions[row] = 0
        self._free.append(row)
        for address in self._routes[row]:
            self._forget(address, row)
        self._routes[row].clear()
        self._rebuild(len(self._keys))

    def read(self) -> list[Datagram]:
        """Read one batch: hand on the media in it and return the rest.

        A batch is full when `was_full` is true afterwards: there may be more.
        """
        if self._kernel is None or self.lanes is None:
            datagrams = self._port.receive()
            self._fetched = len(datagrams)
            return datagrams
        kernel, port = self._kernel, self._port
        now = time.monotonic()
        offset = now - time.time()
        self._fetched = kernel.receive(
            port.fileno(),
            port.headers,
            port.names,
            port.controls,
            port.data,
            self._fetched,
            self._keys,
            self._key_rows,
            self._sessions,
            self._level_ids,
            self._lengths,
            self._records,
            self.lanes.records,
            now,
            offset,
        )
        return self._hand_on(kernel, self.lanes, now, offset) if self._lengths[1] else []

    @property
    def was_full(self) -> bool:
        """Whether the last `read` filled its batch."""
        return self._fetched == BATCH

    def _hand_on(
        self, kernel: ModuleType, lanes: LaneTable, now: float, offset: float
    ) -> list[Datagram]:
        views = self._port.views
        rest = []
        taken = kernel.TAKEN
        records = self._records[: self._fetched]
        for view, record in zip(views, records.tolist(), strict=False):
            if record[0] == taken:
                continue
            (
                kind,
                row,
                sequence,
                timestamp,
                ssrc,
                payload_type,
                flags,
                start,
                length,
                ns,
                address,
            ) = record
            arrival = ns * 1e-9 + offset
            if not now - kernel.MAX_AGE_S < arrival <= now:
                arrival = now
            if kind == kernel.MEDIA:
                lane = lanes.get(row)
                if lane is not None:  # it waited for something else
                    lane.leave()
                sink = self._sinks[row]
                if sink is not None:
                    packet = MediaPacket(
                        sequence,
                        timestamp,
                        bytes(view[start : start + length]),
                        arrival,
                        flags >= kernel.MARKER,
                        flags & 0x7F if flags & kernel.HAS_LEVEL else None,
                        bool(flags & kernel.VOICE),
                    )
                    sink(packet, payload_type, ssrc)
            elif kind == kernel.OTHER:
                rest.append(Datagram(bytes(view[:length]), address, arrival))
            else:
                name = "srtp_rejected" if kind == kernel.REJECTED else "rtp_malformed"
                self._counters[name] += 1
        return rest

    def _forget(self, address: int, row: int) -> None:
        if self._rows.get(address) == row:  # else a NAT gave it to somebody else
            del self._rows[address]

    def _rebuild(self, size: int) -> None:
        self._keys = np.zeros(size, np.uint64)
        self._key_rows = np.zeros(size, np.int32)
        if self._kernel is not None and self._rows:
            count = len(self._rows)
            addresses = np.fromiter(self._rows.keys(), np.uint64, count)
            rows = np.fromiter(self._rows.values(), np.int32, count)
            self._kernel.insert_all(self._keys, self._key_rows, addresses, rows)


def _load_kernel() -> ModuleType | None:
    try:
        from webrtc.media import intake_kernel
    except Exception as error:
        # Any failure to compile or cache leaves the plain way, which is slower but complete.
        logger.warning("the compiled intake is not available: %s", error)
        return None
    return intake_kernel
