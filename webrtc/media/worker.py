"""The media worker process: one UDP port, one clock, all rooms that the front process gives it.

A turn of the clock: read what has arrived, run the rooms whose slot it is, look after a few
connections, and only then, in the time left until the next slot, one step of somebody's handshake
or negotiation. Nothing here waits for anything but the clock, the socket and the control socket.
"""

import asyncio
import itertools
import logging
import signal
import socket
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from dsp import denoiser
from dsp.voice_detector import voice_engine
from mixer.phase import best_shift
from mixer.playout import MediaPacket
from mixer.red import unpack_red
from mixer.room import Ptime
from mixer.shedding import LoadShedder
from rooms.bus import AudioBus
from rooms.replicas import worker_number
from webrtc.classifier.wire import Judged
from webrtc.control.messages import (
    CONTROL_VERSION,
    Candidate,
    Content,
    Drain,
    DropParticipant,
    DropRoom,
    KeptAll,
    KeptRoom,
    Levels,
    Offer,
    PeerState,
    PeerStateName,
    PlainClient,
    PutParticipant,
    PutRoom,
    RemoteAnswer,
    SourceLevel,
    ToFront,
    ToWorker,
    WatchMeters,
    Welcome,
)
from webrtc.control.server import ControlServer
from webrtc.media import feeds, rtcp, sdp
from webrtc.media.aiortc_adapter import CertificateSupply
from webrtc.media.archive_tap import ArchiveTap
from webrtc.media.attachment import attach, follow_listeners
from webrtc.media.beside import ThreadBeside
from webrtc.media.console import Console
from webrtc.media.fanout import SendTable
from webrtc.media.figures import Figures
from webrtc.media.forward import Forwarder
from webrtc.media.forward_table import ForwardTable
from webrtc.media.hall import Hall, Room
from webrtc.media.hearing import Hearing
from webrtc.media.ice import IceAgent
from webrtc.media.ice_full import FullIceAgent
from webrtc.media.ice_lite import IceLiteMux
from webrtc.media.intake import Intake
from webrtc.media.local_bus import LocalBus
from webrtc.media.negotiator import Negotiator
from webrtc.media.participant import Participant
from webrtc.media.peer import Peer
from webrtc.media.realtime import Collector, ask_for_realtime
from webrtc.media.recordings import RecordingTaps
from webrtc.media.redis_bus import RedisBus
from webrtc.media.sharing import Sharing
from webrtc.media.simulation import Deliver, Simulation
from webrtc.media.slack import Slack
from webrtc.media.ticker import SLOT_S, SLOTS_PER_TURN, SlotTimer
from webrtc.media.udp import UdpPort
from webrtc.media.wide_bus import WideBus
from webrtc.runtime_dir import archive_path
from webrtc.settings import Settings
from webrtc.supervisor_pulse import keep_beating

if TYPE_CHECKING:
    from webrtc.media.udp_door import UdpDoor

logger = logging.getLogger(__name__)

READ_BATCHES = 64  # per turn: 4,096 datagrams
LATE_SLOTS = 12  # 30 ms: behind by more, whole turns are left out
LEVELS_EVERY_S = 0.1
ALIGN_EVERY_BLOCKS = 50
LEVEL_STEP_DB = 3
VISIT_EVERY_S = 1.0


class Worker:
    """Everything of one worker process; also the host of its peers."""

    def __init__(
        self,
        settings: Settings,
        index: int,
        sock: socket.socket,
        folder: Path,
        realtime: bool,
        gateway: socket.socket | None = None,
    ) -> None:
        """Set up around bound UDP sockets, in the running event loop.

        Args:
            settings: The settings.
            index: Which of the workers this is.
            sock: The socket of its connections.
            folder: Where the workers have their Unix sockets.
            realtime: Whether the kernel runs us before others.
            gateway: The socket of the UDP gateway, in the worker that has it.
        """
        self.index = index
        self.door: UdpDoor | None = None
        if gateway is not None:
            from webrtc.media import udp_door  # its filters take long to import

            self.door = udp_door.UdpDoor(gateway, self, plain=bool(settings.udp_plain_room))
        self._simulation = Simulation(settings.simulated_network)
        self.port = UdpPort(sock)
        candidates = [
            sdp.host_candidate(i, ip, self.port.port) for i, ip in enumerate(settings.announced_ips)
        ]
        self.mux = IceLiteMux(self.port, candidates)
        self.counters = self.mux.counters
        self.ice: IceAgent = self.mux if settings.ice == "lite" else FullIceAgent(self.counters)
        self.intake = Intake(self.port, self.counters)
        self.table = SendTable(self.port)
        self.certificates = CertificateSupply(time.monotonic())
        self._realtime = realtime
        self._publisher_bitrate_bps = settings.max_publisher_bitrate_bps
        ptime: Ptime = (
            "auto" if settings.ptime_ms is None else 10 if settings.ptime_ms == 10 else 20
        )
        self.beside = ThreadBeside()
        self.hall = Hall(
            ptime, settings.opus_complexity, self.table, self.intake.lanes, self.beside
        )
        number = worker_number(settings.replica_number, index)
        self.hearing = Hearing(folder, self._tell_content)
        self.hall.on_fetched = self.hearing.take
        self.archive = ArchiveTap(archive_path(folder))
        self.recordings = RecordingTaps(number, self._room_time)
        self.participants: dict[str, Participant] = {}
        self.figures = Figures(index)
        self._shedder = LoadShedder(time.monotonic())
        self.console = Console(self.participants)
        self._control = ControlServer(self)
        self.forward_table = ForwardTable(self.port)
        self.forwarder = Forwarder(self.forward_table, self.figures.counters, self._control.send)
        self.sharing = Sharing(
            _bus(settings, folder, number),
            self.hall,
            number,
            self._wake,
            lambda room: follow_listeners(room, self.console, time.monotonic()),
            self.forwarder.tell_news,
        )
        self._timer = SlotTimer(self._turn)
        self._slack = Slack(self._timer, self.figures, self.mux)
        self.negotiator = Negotiator(self, self._slack, settings.ptime_ms or 10, self._control.send)
        self._ran = 0  # the last slot that was run
        self._loop = asyncio.get_running_loop()
        self._ntp_offset_s = time.time() - time.monotonic()
        self._reading = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._visits: list[Peer] = []  # peers that are still to be visited in this round
        self._share = 1
        self._round_s = 0.0
        self._skipped_turns = 0  # when it was last asked whether time is short
        self._next_levels_s = 0.0
        self._collector = Collector(time.monotonic())

    async def serve(self, control_path: Path) -> None:
        """Serve the front process until SIGTERM."""
        await self._control.start(control_path)
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, stop.set)
        house = asyncio.create_task(self._keep_house(), name="housekeeping")
        hearing = asyncio.create_task(self.hearing.run(), name="hear what is played")
        self._follow_activity()
        try:
            await stop.wait()
        finally:
            house.cancel()
            hearing.cancel()
            for participant in list(self.participants.values()):
                self.close_peer(participant)
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=1.0)
            await self._control.close()
            self.sharing.close()
            self.archive.close()
            self._timer.close()
            self.beside.close()
            self.port.close()
            if self.door is not None:
                self.door.close()

    # ---- the clock -------------------------------------------------------------------------

    def _turn(self) -> None:
        started, cpu_s = time.monotonic(), time.thread_time()
        lateness = started - self._timer.due_s
        now_slot = self._timer.slot_at(started)
        behind = now_slot - self._ran
        if behind > LATE_SLOTS + SLOTS_PER_TURN:
            turns = behind // SLOTS_PER_TURN
            self.hall.skip_turns(turns)
            self._ran += turns * SLOTS_PER_TURN
            self.figures.skipped_turns += turns
        try:
            self._read(started)  # what is woken now counts from now
            self.sharing.read()
            slot = self.hall.next_slot(self._ran)
            while slot is not None and slot <= now_slot:
                for room in self.hall.run(slot, self._timer.time_of(slot)):
                    self._after_block(room, slot)
                self._ran = slot
                slot = self.hall.next_slot(slot)
            if started >= self._next_levels_s:
                # All rooms together: the front process wakes once.
                self._next_levels_s = started + LEVELS_EVERY_S
                for room in self.hall.awake_rooms():
                    self._send_levels(room)
            meters = self.console.turn(started)
            if meters is not None:
                self._control.send(meters)
            self._visit_some(started)
        finally:  # whatever was wrong, the next turn comes
            self._ran = max(self._ran, now_slot)
            slot = self.hall.next_slot(self._ran)  # a visit may have woken a room
            if slot is None:
                self._timer.clear()
            else:
                self._timer.set(slot)
        ended = time.monotonic()
        self.figures.turn(lateness, ended - started)
        self._shedder.worked(time.thread_time() - cpu_s)
        self._collector.run(ended, self._timer.due_s - ended)
        self._follow_activity()
        self._slack.pump()

    def _after_block(self, room: Room, slot: int) -> None:
        if not room.awake:
            self._send_levels(room)  # the last word before it sleeps
        elif room.blocks % ALIGN_EVERY_BLOCKS == 0 and room.not_before <= slot:
            self._align(room, slot)

    def _align(self, room: Room, slot: int) -> None:
        """Let the room run just after its publishers' packets are safely there."""
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
        if ready:
            next_s = self._timer.time_of(slot + room.stride)
            shift = best_shift(ready, next_s, SLOT_S, room.stride)
            if shift:
                self.hall.shift(room, shift, slot)
                self.figures.counters["phase_shifts"] += 1

    def _send_levels(self, room: Room) -> None:
        if room.forward is not None:  # which tells of levels itself, as packets say them
            return
        changed = []
        for source in room.mixer.sources.values():
            level, speaking = source.level, source.speaking
            if (not source.remote or source.foreign) and (
                speaking != source.reported_speaking
                or abs(level - source.reported_level) >= LEVEL_STEP_DB
            ):
                source.reported_level, source.reported_speaking = level, speaking
                changed.append(SourceLevel(source.source_id, level, speaking))
        if changed:
            self._control.send(Levels(room.room_id, changed))

    # ---- the socket ------------------------------------------------------------------------

    def _read(self, now_s: float) -> None:
        if self.door is not None:
            self.door.read()
        for _ in range(READ_BATCHES):
            datagrams = self.intake.read()
            if datagrams:
                self.mux.dispatch(datagrams, now_s)
            if not self.intake.was_full:
                break
        else:
            self.mux.counters["read_backlog"] += 1
        self._simulation.deliver(now_s)
        self.forwarder.tell_news(now_s)

    def _readable(self) -> None:
        self._read(time.monotonic())
        self._slack.pump()

    def _follow_activity(self) -> None:
        """Read on arrival while somebody connects or forwards, or nothing ticks.

        Else the clock reads.
        """
        wanted = (
            self._timer.due_s == float("inf")
            or self.figures.connecting > 0
            or self.forwarder.is_active
        )
        if wanted and not self._reading:
            self._loop.add_reader(self.port.fileno(), self._readable)
            if self.door is not None:
                self._loop.add_reader(self.door.fileno(), self._readable)
        elif self._reading and not wanted:
            self._loop.remove_reader(self.port.fileno())
            if self.door is not None:
                self._loop.remove_reader(self.door.fileno())
        self._reading = wanted

    # ---- looking after connections ---------------------------------------------------------

    def _visit_some(self, now_s: float) -> None:
        """Visit the share of the peers that is due, so that each is seen once a second."""
        if not self._visits:
            if now_s - self._round_s < VISIT_EVERY_S:
                return
            self._round_s = now_s
            self._visits = [p.peer for p in self.participants.values() if p.peer is not None]
            self._share = max(1, len(self._visits) // 50)
        for _ in range(min(self._share, len(self._visits))):
            peer = self._visits.pop()
            if peer.state not in ("failed", "closed"):
                participant = self.participants.get(peer.participant_id)
                if participant is not None and participant.lane is not None:
                    participant.lane.fold()
                peer.visit(now_s)
                if participant is not None and participant.peer is peer:
                    self.figures.note_peer(participant)

    async def _keep_house(self) -> None:
        """What also has to happen while no room is awake, and the figures for the front process."""
        for beat in itertools.count(1):
            await asyncio.sleep(0.1)
            try:
                self._look_after_house(time.monotonic(), tell=beat % 10 == 0)
            except Exception:  # a defect: the others still want to be looked after
                counters = self.figures.counters
                counters["house_defects"] += 1
                if (count := counters["house_defects"]) & (count - 1) == 0:  # rarer and rarer
                    logger.exception("defect %d: housekeeping broke off", count)

    def _look_after_house(self, now_s: float, *, tell: bool) -> None:
        self.forwarder.look(now_s)
        self._simulation.deliver(now_s)
        if self._timer.due_s == float("inf"):
            for _ in range(5):
                self._visit_some(now_s)
            self._collector.run(now_s, float("inf"))
        if tell:
            self._shed(now_s)
            counters = self.counters + self.figures.counters
            if self.door is not None:
                self.door.look_after(now_s)
                counters += self.door.figures()
            counters.update(self.sharing.counters)
            counters.update(self.hearing.counters)
            counters.update(self.archive.counters)
            counters.update(self.beside.counters)
            counters["fanout_dropped"] = self.table.dropped
            counters["forward_sent"] = self.forward_table.sent
            counters["forward_dropped"] = self.forward_table.dropped
            counters["send_errors"] = self.port.send_errors
            counters["receive_dropped"] = self.port.count_unread()
            counters["room_defects"] = self.hall.defects
            self._control.send(self.figures.stats(self.hall, self.participants, counters))

    def _shed(self, now_s: float) -> None:
        """Leave out more when there is too little time, and less when there is enough again."""
        figures = self.figures
        skipped, self._skipped_turns = self._skipped_turns, figures.skipped_turns
        left_out_s = (figures.skipped_turns - skipped) * SLOTS_PER_TURN * SLOT_S
        if self._shedder.look(now_s, left_out_s):
            figures.shedding = step = self._shedder.step
            logger.warning("time is short: step %d (%s)", step, step.name.lower())
            self.console.leave_out(step)

    def _tell_content(self, judged: Judged) -> None:
        if judged.stream in self.participants:
            self._control.send(
                Content(
                    participant_id=judged.stream,
                    genre=judged.label,
                    confidence=judged.confidence,
                    firm=judged.firm,
                    speech=judged.speech,
                    probabilities=judged.probabilities,
                    profile=judged.profile,
                )
            )

    # ---- what a peer asks of its host ------------------------------------------------------

    def ntp_now(self, now_s: float) -> int:
        """Return the NTP time of an instant; the wall clock is read once, at the start."""
        return rtcp.ntp_time(now_s + self._ntp_offset_s)

    def media_time(self, peer: Peer, now_s: float) -> int:
        """Return the media time of a peer's room at an instant."""
        participant = self.participants.get(peer.participant_id)
        if participant is None:
            return 0
        return self._room_time(participant.room, now_s)

    def _room_time(self, room: Room, instant_s: float) -> int:
        return room.media_time((instant_s - self._timer.epoch_s) / SLOT_S)

    def peer_changed(self, peer: Peer, state: PeerStateName) -> None:
        """Follow a peer's state."""
        participant = self.participants.get(peer.participant_id)
        if participant is None or participant.peer is not peer:
            return
        self._control.send(PeerState(peer.participant_id, state))
        self.attach(participant)
        self.negotiator.settle(participant)
        self.figures.count_connecting(self.participants)
        self._follow_activity()

    def peer_media(self, peer: Peer, packet: MediaPacket) -> None:
        """Queue a packet for the next block and wake the room."""
        if self._simulation.takes(peer.participant_id):
            self._send_on(peer.participant_id, packet, red=False)
            return
        participant = self._queue(peer.participant_id, packet)
        if participant is None or participant.playout is None or not participant.playout.is_calm:
            return
        room = participant.room
        if room.forward is not None:  # a lane would hide the packets from those who hear tracks
            return
        source = room.mixer.sources[participant.put.participant_id]
        participant.lane = lane = peer.lend(participant.playout, source.row, packet)
        if lane is not None:
            self.hall.add_lane(room, lane)

    def peer_red(self, peer: Peer, packet: MediaPacket) -> None:
        """Queue the packets inside a RED packet; a stream of those goes by no lane."""
        if self._simulation.takes(peer.participant_id):
            self._send_on(peer.participant_id, packet, red=True)
            return
        for inner in self._unpack(packet):
            self._queue(peer.participant_id, inner)

    def _unpack(self, packet: MediaPacket) -> list[MediaPacket]:
        inside = unpack_red(packet)
        if not inside:
            self.figures.counters["red_malformed"] += 1
        return inside

    def _send_on(self, participant_id: str, packet: MediaPacket, *, red: bool) -> None:
        """Put a packet on a simulated path, behind which it is queued."""

        def deliver(arrival_s: float) -> None:
            late = packet._replace(arrival_s=arrival_s)
            for inner in self._unpack(late) if red else (late,):
                self._queue(participant_id, inner)

        self._simulation.send(participant_id, len(packet.payload), packet.arrival_s, deliver)

    def _queue(self, participant_id: str, packet: MediaPacket) -> Participant | None:
        participant = self.participants.get(participant_id)
        if participant is None:
            return None
        forward = participant.room.forward
        if forward is not None and not forward.take(participant_id, packet):
            return None
        if participant.playout is None:
            return None
        participant.playout.push(packet)
        participant.room.mixer.stirred = True
        if not participant.room.awake:
            self._wake(participant.room)
        return participant

    def peer_stream_changed(self, peer: Peer) -> None:
        """Forget what was queued of the publisher's former stream."""
        participant = self.participants.get(peer.participant_id)
        if participant is None:
            return
        if participant.playout is not None:
            participant.playout.reset()
        if participant.room.forward is not None:
            participant.room.forward.core.begin_stream(peer.participant_id)

    def peer_tier(self, peer: Peer, tier: int) -> None:
        """Move a listener to the tier that its network bears."""
        participant = self.participants.get(peer.participant_id)
        if participant is not None:
            participant.room.mixer.set_tier(peer.participant_id, tier)
            self.figures.counters["tier_changes"] += 1
            self._wake(participant.room)

    # ---- what the UDP gateway says ---------------------------------------------------------

    def udp_changed(self, participant_id: str) -> None:
        """Follow a client of the gateway that came or has gone silent."""
        participant = self.participants.get(participant_id)
        if participant is not None:
            self.attach(participant)
            if participant.udp is not None:
                self._control.send(PeerState(participant_id, participant.udp.state))

    def udp_media(self, participant_id: str) -> None:
        """Let the room of a client of the gateway look at what it sent."""
        participant = self.participants.get(participant_id)
        if participant is not None:
            participant.room.mixer.stirred = True
            if not participant.room.awake:
                self._wake(participant.room)

    def udp_knock(self, client_id: str, host: int) -> None:
        """Tell the front process of a client of the old kind that wants in."""
        self._control.send(PlainClient(client_id, host))

    def udp_late(self, participant_id: str, size: int, now_s: float, deliver: Deliver) -> bool:
        """Put what a client of the gateway sent on a simulated path, if it has one."""
        if not self._simulation.takes(participant_id):
            return False
        self._simulation.send(participant_id, size, now_s, deliver)
        return True

    def udp_strip(self, participant: Participant) -> None:
        """Give a source that is new in its room the strip that it should have."""
        self.console.set_strip(participant)

    def _wake(self, room: Room) -> None:
        slot = self._timer.slot_at(time.monotonic()) + 1
        if self.hall.wake(room, slot):
            if self.hall.awake == 1:
                self._ran = max(self._ran, slot - 1)
            upcoming = self.hall.next_slot(self._ran)
            if upcoming is not None and self._timer.time_of(upcoming) < self._timer.due_s:
                self._timer.set(upcoming)
            self._follow_activity()

    # ---- what the front process asks -------------------------------------------------------

    def welcome(self) -> Welcome:
        """Say who we are."""
        return Welcome(
            version=CONTROL_VERSION,
            worker=self.index,
            pid=self.figures.pid,
            udp_port=self.port.port,
            gateway_port=0 if self.door is None else self.door.port,
            realtime=self._realtime,
            engine=self.table.engine,
            dsp=self.hall.dsp_engine,
            denoisers=list(denoiser.engines()),
            voice=voice_engine(),
        )

    def kept(self) -> list[KeptRoom | PutParticipant]:
        """Return what we remember for the front process."""
        rooms = [
            KeptRoom(room.room_id, room.state, self.sharing.workers_of(room))
            for room in self.hall.rooms.values()
        ]
        return [*rooms, *(participant.put for participant in self.participants.values())]

    def kept_all(self) -> KeptAll:
        """Say how the connections are, to a front process that knows nothing else of them."""
        self.console.stop_watching()
        self._loop.call_soon(self.forwarder.tell_everything)
        states: dict[str, PeerStateName] = {
            name: participant.peer.state
            for name, participant in self.participants.items()
            if participant.peer is not None
        }
        return KeptAll(states | (self.door.states() if self.door is not None else {}))

    def handle(self, message: ToWorker) -> Coroutine[None, None, ToFront] | ToFront | None:
        """Carry out one message of the front process."""
        match message:
            case PutRoom():
                self._put_room(message)
            case DropRoom(room_id):
                self._drop_room(room_id)
            case PutParticipant():
                self._put_participant(message)
            case DropParticipant(participant_id):
                self._drop_participant(participant_id)
            case WatchMeters(room_id):
                self.console.watch(self.hall.rooms.get(room_id), message)
            case Offer():
                return self.negotiator.answer(message)
            case RemoteAnswer():
                return self.negotiator.take_answer(message)
            case Candidate():
                return self.negotiator.take_candidate(message)
            case Drain():
                self.negotiator.is_draining = True
        return None

    def _put_room(self, put: PutRoom) -> None:
        room = self.hall.put_room(put.room_id, put.state)
        self.console.set_room(room, put)
        before = None if room.forward is None else room.forward.max_speakers
        if put.mode == "forward":
            room.forward = self.forwarder.put_room(put.room_id, put.selection, time.monotonic())
        else:
            room.forward = None
            self.forwarder.drop_room(put.room_id)
        self.sharing.set_workers(room, put.workers)
        after = None if room.forward is None else room.forward.max_speakers
        if before != after:  # scenes and sound are nothing to connections, and it may be a crowd
            for participant in room.participants.values():
                self.attach(participant)
                self.negotiator.settle(participant)
        self._set_archive(room, put.archive)
        if room.participants or put.recording is not None:
            self._wake(room)
        self.recordings.put(room, put.recording)
        follow_listeners(room, self.console, time.monotonic())
        self._simulation.put_room(room, put.network)

    def _set_archive(self, room: Room, is_on: bool) -> None:
        if is_on != (room.archive is not None):
            room.archive = self.archive.take if is_on else None
            if not is_on:
                self.archive.forget(room.mixer)
            follow_listeners(room, self.console, time.monotonic())

    def _drop_room(self, room_id: str) -> None:
        room = self.hall.rooms.get(room_id)
        if room is not None:
            for participant_id in list(room.participants):
                self._drop_participant(participant_id)
            self.recordings.forget(room)
            self.sharing.forget(room)
            self.archive.forget(room.mixer)
            self.hall.drop_room(room_id)
            self.console.forget_room(room)
            self._simulation.forget_room(room_id)
            self.forwarder.drop_room(room_id)

    def _put_participant(self, put: PutParticipant) -> None:
        participant = self.participants.get(put.participant_id)
        if participant is not None and participant.room.room_id != put.room_id:
            self._drop_participant(put.participant_id)
            participant = None
        if participant is None:
            room = self.hall.rooms.get(put.room_id) or self.hall.put_room(put.room_id, b"")
            participant = Participant(put, room)
            self.participants[put.participant_id] = participant
            room.participants[put.participant_id] = participant
        former, ramp_ms = participant.put.strip, put.ramp_ms
        participant.put = put = msgspec.structs.replace(put, ramp_ms=0)
        if self.door is not None and self.door.put(participant):
            self.attach(participant)
        if put.feed is not None and feeds.put(participant, put.feed, self.console):
            self._wake(participant.room)
        if participant.peer is not None:
            participant.peer.allow(publishes=put.publishes, subscribes=put.subscribes)
            self.attach(participant)
            self.negotiator.settle(participant)
        self._simulation.follow(participant)
        mixer = participant.room.mixer
        mixer.mute_source(put.participant_id, put.muted)
        mixer.set_standing(put.participant_id, participant.standing)
        if former != put.strip:
            now_s = time.monotonic()
            self.console.change_strip(participant, former, ramp_ms / 1000, now_s)
        mixer.set_deafened(put.participant_id, put.deafened)
        mixer.set_gains(put.participant_id, participant.personal_gains())
        if put.participant_id in mixer.listeners or put.participant_id in mixer.sources:
            self._wake(participant.room)

    def _drop_participant(self, participant_id: str) -> None:
        participant = self.participants.pop(participant_id, None)
        self.console.forget(participant_id)
        self.hearing.forget(participant_id)
        if participant is not None:
            participant.room.participants.pop(participant_id, None)
            if self.door is not None:
                self.door.drop(participant)
            feeds.drop(participant)
            self._simulation.forget(participant_id)
            self.close_peer(participant)
            self._wake(participant.room)

    # ---- what negotiating asks -------------------------------------------------------------

    def new_peer(self, participant_id: str) -> Peer:
        """Return a new connection of a participant's."""
        return Peer(
            participant_id,
            self,
            time.monotonic(),
            bitrate_bps=self._publisher_bitrate_bps,
        )

    def negotiated(self) -> None:
        """Take note that a handshake may be beginning."""
        self.figures.count_connecting(self.participants)
        self._follow_activity()

    def attach(self, participant: Participant) -> None:
        """Make a participant's room agree with its connection, and wake the room."""
        if participant.udp is not None and self.door is not None:
            self.door.attach(participant)
            follow_listeners(participant.room, self.console, time.monotonic())
        else:
            attach(participant, self.console, time.monotonic())
        self._simulation.follow(participant)
        self._wake(participant.room)

    def close_peer(self, participant: Participant) -> None:
        """Take a participant's connection away."""
        peer, participant.peer = participant.peer, None
        self.attach(participant)
        if peer is not None:
            self.run(peer.close(), "close a peer")
            self.figures.count_connecting(self.participants)

    def run(self, work: Coroutine[None, None, None], name: str) -> None:
        """Run a task that is awaited at the end."""
        task = self._loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _bus(settings: Settings, folder: Path, number: int) -> AudioBus:
    """Return the worker's end of the bus; Redis is on it where replicas share rooms."""
    near = LocalBus(folder, number)
    address = settings.redis
    return near if address is None else WideBus(near, RedisBus(address, number), number)


def run_worker(
    settings: Settings,
    index: int,
    sock: socket.socket,
    control_path: Path,
    pulse: Path | None = None,
    gateway: socket.socket | None = None,
) -> None:
    """Run a media worker until SIGTERM.

    Args:
        settings: The settings.
        index: Which of the workers this is, from 0.
        sock: Its bound UDP socket.
        control_path: Where its Unix control socket is to be.
        pulse: Where it shows the supervisor that it lives.
        gateway: The bound UDP socket of its gateway; None for none.
    """
    from webrtc.media.warm import warm_up

    warm_up()
    realtime = settings.realtime and ask_for_realtime()

    async def main() -> None:
        beating = None if pulse is None else asyncio.create_task(keep_beating(pulse), name="pulse")
        await Worker(settings, index, sock, control_path.parent, realtime, gateway).serve(
            control_path
        )
        if beating is not None:
            beating.cancel()

    asyncio.run(main())
