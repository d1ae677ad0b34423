"""All rooms of a worker and when each of them runs.

A room is *awake* while it sits in a phase of the clock, and *asleep* while nothing sounds in it and
every listener has been told so. Asleep it costs nothing; a packet or a change wakes it, and its
media time goes on as if it had never slept.
"""

import logging
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from dsp.beside import Beside, at_once
from dsp.strip import StripBank
from mixer.arena import BLOCK_10MS, Arena, SourceArena
from mixer.exchange_frames import BusFrame
from mixer.outputs import SAMPLES, Output
from mixer.packet_times import Ptime
from mixer.phase import best_shift
from mixer.room import RoomMixer
from mixer.source import Source
from mixer.treatment import Automatics
from webrtc.log_context import about
from webrtc.media import rtp
from webrtc.media.encoding import OutputEncoder, tier_settings
from webrtc.media.fanout import SendTable
from webrtc.media.forward import Forwarding
from webrtc.media.lanes import Lane, LaneTable
from webrtc.media.participant import Participant
from webrtc.media.steady import SteadyRoom, settle
from webrtc.media.ticker import SLOT_S, SLOTS_PER_TURN

logger = logging.getLogger(__name__)


class Room:
    """A room of this worker.

    Attributes:
        room_id: Its id.
        state: The front process's blob.
        mixer: What decides and mixes.
        participants: By id.
        phase: The first of its slots within a turn.
        stride: Slots between two blocks, 4 or 8.
        steady: How it sends its blocks while nothing changes.
        lanes: Of its publishers; some may have been left since the last block.
        lane_rows: int32, the intake's rows of these.
        shifted: Slots by which it was shifted since a recording began or went on.
        forward: How it forwards, None in mode mix.
        mixes: Whether anybody hears its mix: then what is heard is decoded.
        tap: Is given each block, right after its packets have left.
        archive: Is given each block behind the tap, while the room's archive is on.
    """

    __slots__ = (
        "_origin",
        "archive",
        "awake",
        "blocks",
        "forward",
        "lane_rows",
        "lanes",
        "mixer",
        "mixes",
        "not_before",
        "participants",
        "phase",
        "room_id",
        "shifted",
        "state",
        "steady",
        "stride",
        "tap",
    )

    def __init__(self, room_id: str, mixer: RoomMixer, phase: int) -> None:
        """Make a sleeping room."""
        self.room_id = room_id
        self.state = b""
        self.mixer = mixer
        self.participants: dict[str, Participant] = {}
        self.stride = SLOTS_PER_TURN * mixer.block // (2 * BLOCK_10MS)
        self.phase = phase % self.stride
        self.awake = False
        self.steady: SteadyRoom | None = None
        self.forward: Forwarding | None = None
        self.mixes = True
        self.tap: Callable[[RoomMixer], None] | None = None
        self.archive: Callable[[RoomMixer], None] | None = None
        self.lanes: list[Lane] = []
        self.set_lanes([])
        self.blocks = 0  # ticks run, for what happens every so many of them
        self.not_before = 0  # the slot before which it must not run, after a shift
        self.shifted = 0
        self._origin: int | None = None  # the slot at which media time was 0

    def enter(self, slot: int) -> None:
        """Let media time catch up: the next block runs in `slot` or the first of ours behind it."""
        self.not_before = first = slot + (self.phase - slot) % self.stride
        if self._origin is None:
            # An even number of blocks before, so that 20 ms packets keep their halves.
            self._origin = first
        due = (first - self._origin) // self.stride * self.mixer.block
        behind = (due - self.mixer.block_time) // self.mixer.block - 1
        if behind > 0:
            self.mixer.skip(behind)

    def set_lanes(self, lanes: list[Lane]) -> None:
        """Replace its lanes."""
        self.lanes = lanes
        self.mixer.stirred = True
        self.lane_rows = np.array([lane.row for lane in lanes], np.int32)

    def follow_block(self, ran: int) -> None:
        """Keep step with the mixer's new length of blocks, right after having run in slot `ran`.

        A packet of 20 ms leaves when it would have left: with the second of two short blocks, or
        with the long one.
        """
        stride = SLOTS_PER_TURN * self.mixer.block // (2 * BLOCK_10MS)
        if self._origin is not None:
            self._origin += stride - self.stride
        self.stride = stride
        self.not_before = ran + stride
        self.phase = self.not_before % stride

    def media_time(self, slot: float) -> int:
        """Return the media time at a slot or between two, in samples, as if it never slept."""
        if self._origin is None:
            return 0
        return round((slot - self._origin) * self.mixer.block / self.stride)

    @property
    def moved_s(self) -> float:
        """By how much later blocks run than media time says; only changes mean something."""
        return (self._origin or 0) * SLOT_S

    def shift(self, slots: int, ran: int) -> None:
        """Run `slots` later, or earlier if negative, right after having run in slot `ran`.

        Less than a stride either way. Media time does not count the difference, and would in the
        end follow the clocks of those who speak. A recording joins the media times of several
        workers, so while there is one, the way back to the same phase is taken in time.
        """
        if self.mixer.tap is not None and abs(self.shifted + slots) >= self.stride:
            slots -= self.stride if slots > 0 else -self.stride
        self.shifted += slots
        self.not_before = ran + self.stride + min(slots, 0)
        self.phase = (self.phase + slots) % self.stride
        if self._origin is not None:
            self._origin += slots


class Hall:
    """Rooms by id, and the ones that are awake by phase.

    Attributes:
        publish: Passes on what a room has to say to other workers.
        on_fetched: Is shown the blocks of those who are to be recognised, as they came; set before
            the first room.
    """

    def __init__(
        self,
        ptime: Ptime,
        complexity: int,
        table: SendTable,
        lanes: LaneTable | None = None,
        beside: Beside = at_once,
    ) -> None:
        """Make an empty hall.

        Args:
            ptime: Packet time of what is sent.
            complexity: Opus complexity of the best tier.
            table: Where packets leave.
            lanes: Where publishers' streams may go by.
            beside: Where neural networks run.
        """
        self.rooms: dict[str, Room] = {}
        self.awake = 0
        self.encodes = 0
        self.defects = 0  # blocks broken off by an exception
        self._phases: list[dict[Room, None]] = [{} for _ in range(SLOTS_PER_TURN)]
        self._ptime = ptime
        self._tiers = tier_settings(complexity)
        self._table = table
        self._lane_table = lanes
        self._sources = SourceArena()
        self._strips = StripBank()
        self._automatics = Automatics(beside)
        self._mixes = Arena()
        self._next_phase = 0
        self.publish: Callable[[BusFrame], None] = lambda _: None
        self.on_fetched: Callable[[Sequence[Source], int, int], None] | None = None

    @property
    def dsp_engine(self) -> str:
        """Who runs the strips: numba or numpy."""
        return self._strips.engine.name

    def put_room(self, room_id: str, state: bytes) -> Room:
        """Return the room, made if need be."""
        room = self.rooms.get(room_id)
        if room is None:
            mixer = RoomMixer(
                room_id, self._sources, self._mixes, self._ptime, self._strips, self._automatics
            )
            mixer.on_fetched = self.on_fetched
            room = self.rooms[room_id] = Room(room_id, mixer, self._next_phase)
            self._next_phase += 1
        room.state = state
        return room

    def drop_room(self, room_id: str) -> Room | None:
        """Remove a room and return it; its participants are the caller's to close."""
        room = self.rooms.pop(room_id, None)
        if room is not None:
            self._sleep(room)
            room.mixer.close()
        return room

    def wake(self, room: Room, slot: int) -> bool:
        """Let a room run from `slot` on; return whether it slept."""
        if room.awake:
            return False
        room.enter(slot)
        room.awake = True
        self.awake += 1
        self._enter_phases(room)
        return True

    def awake_rooms(self) -> Iterator[Room]:
        """Yield the rooms that are awake."""
        for phase, rooms in enumerate(self._phases):
            for room in rooms:
                if room.phase == phase:
                    yield room

    def next_slot(self, after: int) -> int | None:
        """Return the next slot behind `after` in which some room runs; None when all sleep."""
        if not self.awake:
            return None
        for slot in range(after + 1, after + 1 + SLOTS_PER_TURN):
            if self._phases[slot % SLOTS_PER_TURN]:
                return slot
        raise AssertionError("a room is awake in no phase")

    def run(self, slot: int, now_s: float) -> Iterator[Room]:
        """Run the rooms of a slot; yields each after its packets have left."""
        for room in list(self._phases[slot % SLOTS_PER_TURN]):
            if slot < room.not_before:
                continue
            mixer = room.mixer
            try:
                played = not room.lanes or self._play_lanes(room, now_s)
                exchange = mixer.exchange
                if exchange is not None:
                    exchange.moved_s = room.moved_s
                mixer.advance(now_s, played=played)
                if exchange is not None and (frame := exchange.take()) is not None:
                    self.publish(frame)  # before our own listeners: others wait for it
                self._say(room)
                if room.forward is not None:
                    room.forward.take_sounds(mixer, now_s)
                if room.tap is not None:
                    room.tap(mixer)
                if room.archive is not None:
                    room.archive(mixer)
            except Exception:  # a defect: it must not silence the other rooms
                self.defects += 1
                if self.defects & (self.defects - 1) == 0:  # rarer and rarer: it may come for ever
                    with about("", room.room_id):
                        logger.exception("defect %d: a room broke off its block", self.defects)
            room.blocks += 1
            if mixer.is_dormant:
                self._sleep(room)
            elif mixer.wanted_block != mixer.block and mixer.may_set_block:
                self._leave_phases(room)
                mixer.set_block(mixer.wanted_block)
                room.follow_block(slot)
                self._enter_phases(room)
            yield room

    def skip_turns(self, turns: int) -> None:
        """Leave out so many turns of 20 ms: the worker was held up for longer."""
        for phase in self._phases[: SLOTS_PER_TURN // 2]:
            for room in phase:
                room.mixer.skip(turns * SLOTS_PER_TURN // room.stride)
        for phase in self._phases[SLOTS_PER_TURN // 2 :]:
            for room in phase:
                if room.stride == SLOTS_PER_TURN:
                    room.mixer.skip(turns)

    def shift(self, room: Room, slots: int, ran: int) -> None:
        """Move an awake room that ran in slot `ran` just now to another phase: see `Room.shift`."""
        self._leave_phases(room)
        room.shift(slots, ran)
        self._enter_phases(room)

    def align(self, room: Room, ran: int, next_s: float) -> bool:
        """Let a room run just after its publishers' packets are safely there.

        Args:
            room: It is awake and ran in slot `ran` just now.
            ran: The slot.
            next_s: When its next block is due.

        Returns:
            Whether it moved to another phase.
        """
        for lane in room.lanes:
            lane.fold()
        exchange = room.mixer.exchange
        ready = [
            time_s
            for source in room.mixer.sources.values()
            if source.present
            and (exchange is None or exchange.follows(source))
            and (time_s := source.playout.safe_time_s()) is not None
        ]
        shift = best_shift(ready, next_s, SLOT_S, room.stride) if ready else 0
        if shift:
            self.shift(room, shift, ran)
        return bool(shift)

    def add_lane(self, room: Room, lane: Lane) -> None:
        """Play a lane of one of a room's publishers with the room's blocks."""
        if self._lane_table is not None:
            room.set_lanes([one for one in room.lanes if self._lane_table.holds(one)] + [lane])

    def _play_lanes(self, room: Room, now_s: float) -> bool:
        """Play a room's lanes; return whether all of them went on."""
        table = self._lane_table
        if table is None:
            return False
        if table.play(room.lane_rows, self._sources.data, room.mixer.block, now_s):
            return True
        room.set_lanes([lane for lane in room.lanes if table.holds(lane)])
        return False

    def _say(self, room: Room) -> None:
        """Send a room's block."""
        mixer, steady = room.mixer, room.steady
        if steady is not None:
            if steady.serial == mixer.mixes.serial:
                self.encodes += steady.send()
                return
            steady.release()
            room.steady = None
        for output in mixer.due():
            if output.key.tier != SAMPLES:
                self._send(mixer, output)
        room.steady = settle(mixer, self._table)

    def _send(self, mixer: RoomMixer, output: Output) -> None:
        encoder = output.cookie
        if not isinstance(encoder, OutputEncoder):
            settings = self._tiers[output.key.tier]
            encoder = output.cookie = OutputEncoder(settings, output.key.ptime_ms)
        packet = encoder.packet(output, mixer.sound(output))
        if packet is None:
            return
        if output.quiet_packets == 0:
            self.encodes += 1
        time = mixer.packet_time(output)
        heard = mixer.mixes.contributors(output.key.mix)
        csrcs, levels = [s.csrc for s in heard], [s.level for s in heard]
        for level_id, rows in output.members.items():
            header = rtp.csrc_header(csrcs, levels, level_id)
            self._table.send(rows, packet.payload, time, packet.marker, header)

    def _sleep(self, room: Room) -> None:
        if room.awake:
            room.awake = False
            self.awake -= 1
            self._leave_phases(room)
            for lane in room.lanes:  # a row may be another's when the room wakes
                lane.leave()
            room.set_lanes([])

    def _enter_phases(self, room: Room) -> None:
        for phase in range(room.phase, SLOTS_PER_TURN, room.stride):
            self._phases[phase][room] = None

    def _leave_phases(self, room: Room) -> None:
        for phase in self._phases:
            phase.pop(room, None)
