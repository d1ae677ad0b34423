"""Streams of publishers from whom every packet comes in order and on time, played without Python.

A playout that has played packet by packet for a while lends its stream; `intake_kernel` puts the
packets aside as they are read from the socket and decodes them when their room's block is due. At
the first packet or block that wants a decision, the playout takes the stream back.
"""

from types import ModuleType
from typing import Protocol

import numpy as np
import numpy.typing as npt

from mixer.playout import Playout
from mixer.playout_stream import SteadyStream
from webrtc.media.opus import Decoder

# Memory is taken when a row is first written to; to copy records while people join takes too long.
ROWS = 4096
Rows = npt.NDArray[np.int32]


class LaneOwner(Protocol):
    """Who is told what came along a lane."""

    def on_lane(self, packets: int, octets: int, jitter: float, arrival_s: float) -> None:
        """Count packets that came in order.

        Args:
            packets: How many.
            octets: Of their payloads.
            jitter: Interarrival jitter as of now, in units of the RTP clock.
            arrival_s: Of the last.
        """


class Lane:
    """One lent stream, until it is left.

    Attributes:
        row: Of the intake.
    """

    __slots__ = ("_lanes", "_owner", "_playout", "_record", "_stream", "row")

    def __init__(
        self,
        lanes: "LaneTable",
        row: int,
        playout: Playout,
        owner: LaneOwner,
        stream: SteadyStream,
    ) -> None:
        """See `LaneTable.lend`."""
        self.row = row
        self._lanes = lanes
        self._playout = playout
        self._owner = owner
        self._stream = stream

    def fold(self) -> bool:
        """Tell playout and owner what happened so far; return whether the lane goes on."""
        if not self._lanes.holds(self):
            return False
        record = self._lanes.records[self.row]
        stream = self._read(record)
        if not self._playout.follow(stream):
            self.leave()
            self._playout.reset()  # nothing that was learned of the path holds
            return False
        record["deadline_s"] = stream.deadline_s
        record["late_after_s"] = stream.late_after_s
        return True

    def leave(self) -> None:
        """Let the playout take its stream back; nothing if it has."""
        if not self._lanes.holds(self):
            return
        record = self._lanes.records[self.row]
        record["active"] = 0
        self._lanes.forget(self)
        stream = self._read(record)
        stream.low, stream.low_before = int(record["low"]), int(record["low_before"])
        stream.low_left, stream.cooldown = int(record["low_left"]), int(record["cooldown"])
        stream.packets = self._lanes.packets(record)
        self._playout.take_back(stream)

    def _read(self, record: np.void) -> SteadyStream:
        stream = self._stream
        stream.next, stream.wait_s = int(record["next"]), float(record["wait_s"])
        stream.waiting = int(record["waiting"])
        arrived = stream.arrived = int(record["arrived"])
        noted = int(record["noted"])
        if noted:
            pairs = record["transits"][: 2 * noted].tolist()
            stream.transits = list(zip(pairs[::2], pairs[1::2], strict=True))
            record["noted"] = record["late"] = 0
        if arrived:
            self._owner.on_lane(
                arrived,
                int(record["octets"]),
                float(record["jitter"]),
                float(record["last_arrival_s"]),
            )
            record["arrived"] = record["octets"] = 0
        return stream


class LaneTable:
    """All lanes of a worker, by row of the intake.

    Attributes:
        records: `intake_kernel.LANE` by row; another array after it has grown.
    """

    def __init__(self, kernel: ModuleType, rows: int = ROWS) -> None:
        """Make room for so many rows."""
        self._kernel = kernel
        self.records: npt.NDArray[np.void] = np.zeros(rows, kernel.LANE)
        self._lanes: dict[int, Lane] = {}
        self._outcomes = np.zeros(rows, np.int8)

    def grow(self, rows: int) -> None:
        """Make room for so many rows, if there is less."""
        if rows <= len(self.records):
            return
        more = np.zeros(rows - len(self.records), self._kernel.LANE)
        self.records = np.concatenate([self.records, more])
        self._outcomes = np.zeros(rows, np.int8)

    def get(self, row: int) -> Lane | None:
        """Return the lane of a row."""
        return self._lanes.get(row)

    def holds(self, lane: Lane) -> bool:
        """Whether a lane has not been left."""
        return self._lanes.get(lane.row) is lane

    def forget(self, lane: Lane) -> None:
        """Take note that a lane is left."""
        del self._lanes[lane.row]

    def lend(
        self,
        row: int,
        playout: Playout,
        owner: LaneOwner,
        *,
        source: int,
        ssrc: int,
        payload_type: int,
        sequence: int,
        timestamp: int,
        jitter: float,
    ) -> Lane | None:
        """Let a playout's stream go by a lane, None when it had rather not.

        Args:
            row: The sender's row of the intake.
            playout: Whose stream.
            owner: Who is told what came.
            source: Row of the source arena into which it plays.
            ssrc: Of its packets.
            payload_type: Of its packets.
            sequence: Of the packet that the playout got last.
            timestamp: Of the same.
            jitter: So far, in units of the RTP clock.
        """
        kernel, decoder = self._kernel, playout.decoder
        if row in self._lanes or not isinstance(decoder, Decoder):
            return None
        stream = playout.lend()
        if stream is None:
            return None
        lane = Lane(self, row, playout, owner, stream)
        fits = (
            0 < len(stream.packets) <= kernel.PLACES
            and stream.position & 0xFFFFFFFF == timestamp
            and all(len(payload) <= kernel.PLACE_BYTES for payload, _ in stream.packets)
            and len({payload[0] for payload, _ in stream.packets}) == 1
        )
        if not fits:
            playout.take_back(stream)
            return None
        record = self.records[row]
        for place, (payload, arrival_s) in enumerate(stream.packets):
            at = place * kernel.PLACE_BYTES
            record["payloads"][at : at + len(payload)] = np.frombuffer(payload, np.uint8)
            record["lengths"][place] = len(payload)
            record["arrivals"][place] = arrival_s
        record["toc"] = stream.packets[0][0][0]
        record["silent"], record["hush"], record["liar"] = 0, 0, 0
        stream.packets = []
        for name in (
            "samples",
            "position",
            "next",
            "low",
            "low_before",
            "low_left",
            "cooldown",
            "wait_s",
            "deadline_s",
            "late_after_s",
            "spare_s",
            "skip_above",
            "last_transit_s",
            "waiting",
        ):
            record[name] = getattr(stream, name)
        record["head"] = record["arrived"] = record["octets"] = 0
        record["noted"] = record["late"] = 0
        record["jitter"] = jitter
        record["type"], record["ssrc"] = payload_type, ssrc
        record["next_sequence"] = sequence + 1 & 0xFFFF
        record["next_timestamp"] = timestamp + stream.samples & 0xFFFFFFFF
        record["decoder"], record["source"] = decoder.pointer, source
        record["active"] = 1
        self._lanes[row] = lane
        return lane

    def play(
        self, rows: Rows, sources: npt.NDArray[np.float32], samples: int, now_s: float
    ) -> bool:
        """Write the next block of lanes into the source arena; who cannot leaves.

        Args:
            rows: int32, the lanes of a room.
            sources: The arena, float32 (n, 960, 2).
            samples: Length of the block.
            now_s: The instant of the block.

        Returns:
            Whether all of them are still lanes.
        """
        play, records = self._kernel.play, self.records
        outcomes = self._outcomes
        if not play(records, rows, sources, samples, now_s, outcomes):
            return True
        complete = True
        for i, outcome in enumerate(outcomes[: len(rows)].tolist()):
            if outcome == self._kernel.PLAYED:
                continue
            lane = self._lanes.get(int(rows[i]))
            if lane is None:
                complete = False
            elif (
                outcome == self._kernel.FOLD
                and lane.fold()
                and not play(records, rows[i : i + 1], sources, samples, now_s, outcomes[i:])
            ):
                continue
            else:
                lane.leave()
                complete = False
        return complete

    def packets(self, record: np.void) -> list[tuple[bytes, float]]:
        """Return payload and arrival of what waits in a lane, oldest first."""
        kernel = self._kernel
        found = []
        for i in range(int(record["waiting"])):
            place = (int(record["head"]) + i) % kernel.PLACES
            at = place * kernel.PLACE_BYTES
            payload = record["payloads"][at : at + int(record["lengths"][place])].tobytes()
            found.append((payload, float(record["arrivals"][place])))
        return found
