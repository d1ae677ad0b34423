"""A media worker: one UDP port, one clock, all rooms that the front process gives it.

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

from dsp import denoiser
from dsp.voice_detector import voice_engine
from mixer.packet_times import Ptime
from mixer.shedding import LoadShedder
from rooms.replicas import worker_number
from webrtc.classifier.wire import Judged
from webrtc.control.messages import (
    CONTROL_VERSION,
    Candidate,
    Drain,
    DropParticipant,
    DropRoom,
    KeptAll,
    KeptRoom,
    Offer,
    PutParticipant,
    PutRoom,
    RemoteAnswer,
    ToFront,
    ToWorker,
    WatchMeters,
    Welcome,
)
from webrtc.control.server import ControlServer
from webrtc.media import sdp
from webrtc.media.aiortc_adapter import CertificateSupply
from webrtc.media.archive_tap import ArchiveTap
from webrtc.media.arrivals import Arrivals
from webrtc.media.attachment import attach, follow_listeners
from webrtc.media.beside import ThreadBeside
from webrtc.media.console import Console
from webrtc.media.fanout import SendTable
from webrtc.media.figures import Figures
from webrtc.media.forward import Forwarder
from webrtc.media.forward_table import ForwardTable
from webrtc.media.hall import Hall, Room
from webrtc.media.hearing import Hearing, content_of
from webrtc.media.ice import IceAgent
from webrtc.media.ice_full import FullIceAgent
from webrtc.media.ice_lite import IceLiteMux
from webrtc.media.intake import Intake
from webrtc.media.levels import tell_levels
from webrtc.media.negotiator import Negotiator
from webrtc.media.participant import Participant
from webrtc.media.peer import Peer
from webrtc.media.realtime import Collector
from webrtc.media.recordings import RecordingTaps
from webrtc.media.residents import Residents
from webrtc.media.rounds import Rounds
from webrtc.media.sharing import Sharing
from webrtc.media.simulation import Simulation
from webrtc.media.slack import Slack
from webrtc.media.ticker import SLOT_S, SLOTS_PER_TURN, SlotTimer
from webrtc.media.udp import UdpPort
from webrtc.media.wide_bus import open_bus
from webrtc.recording.tap import BROADCASTER
from webrtc.runtime_dir import archive_path
from webrtc.settings import Settings

if TYPE_CHECKING:
    from webrtc.media.udp_door import UdpDoor

logger = logging.getLogger(__name__)

READ_BATCHES = 64  # per turn: 4,096 datagrams
LATE_SLOTS = 12  # 30 ms: behind by more, whole turns are left out
LEVELS_EVERY_S = 0.1
ALIGN_EVERY_BLOCKS = 50


class Worker:
    """Everything of one worker process, and its clock."""

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
        self._simulation = Simulation(settings.simulated_network)
        self.port = UdpPort(sock)
        candidates = [
            sdp.host_candidate(i, ip, self.port.port) for i, ip in enumerate(settings.announced_ips)
        ]
        self.mux = IceLiteMux(self.port, candidates)
        self._counters = counters = self.mux.counters
        ice: IceAgent = self.mux if settings.ice == "lite" else FullIceAgent(counters)
        self.intake = Intake(self.port, counters)
        self.table = SendTable(self.port)
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
        self.recordings = RecordingTaps(number, self.room_time)
        self.broadcasts = RecordingTaps(number, self.room_time, BROADCASTER)
        self.participants: dict[str, Participant] = {}
        self.figures = Figures(index)
        self._shedder = LoadShedder(time.monotonic())
        self.console = Console(self.participants)
        self._control = ControlServer(self)
        self._forward_table = ForwardTable(self.port)
        self.forwarder = Forwarder(self._forward_table, self.figures.counters, self._control.send)
        self.sharing = Sharing(
            open_bus(folder, number, settings.redis, self.figures.bus_round_trip.add),
            self.hall,
            number,
            self.wake,
            lambda room: follow_listeners(room, self.console, time.monotonic()),
            self.forwarder.tell_news,
        )
        self.console.reach(self.sharing, self._control.send)
        self._timer = SlotTimer(self._turn)
        self._slack = Slack(self._timer, self.figures, self.mux)
        self.negotiator = Negotiator(self, self._slack, settings.ptime_ms or 10, self._control.send)
        self._arrivals = Arrivals(
            ice=ice,
            counters=counters,
            intake=self.intake,
            table=self.table,
            forward_table=self._forward_table,
            certificates=CertificateSupply(time.monotonic()),
            host=self,
            participants=self.participants,
            hall=self.hall,
            console=self.console,
            simulation=self._simulation,
            figures=self.figures,
            tell=self._control.send,
        )
        self.door: UdpDoor | None = None
        if gateway is not None:
            from webrtc.media import udp_door  # its filters take long to import

            plain = bool(settings.udp_plain_room)
            self.door = udp_door.UdpDoor(gateway, self._arrivals, plain=plain)
        self._residents = Residents(
            host=self,
            participants=self.participants,
            hall=self.hall,
            console=self.console,
            forwarder=self.forwarder,
            sharing=self.sharing,
            negotiator=self.negotiator,
            archive=self.archive,
            recordings=self.recordings,
            broadcasts=self.broadcasts,
            hearing=self.hearing,
            simulation=self._simulation,
            door=self.door,
        )
        self._rounds = Rounds(self.participants, self.figures)
        self._ran = 0  # the last slot that was run
        self._loop = asyncio.get_running_loop()
        self._reading = False
        self._tasks: set[asyncio.Task[None]] = set()
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
            self.sharing.flush()
            if started >= self._next_levels_s:
                # All rooms together: the front process wakes once.
                self._next_levels_s = started + LEVELS_EVERY_S
                for room in self.hall.awake_rooms():
                    tell_levels(room, self._control.send)
            meters = self.console.turn(started)
            if meters is not None:
                self._control.send(meters)
            self._rounds.visit_some(started)
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
            tell_levels(room, self._control.send)  # the last word before it sleeps
        elif room.blocks % ALIGN_EVERY_BLOCKS == 0 and room.not_before <= slot:
            moved = self.hall.align(room, slot, self._timer.time_of(slot + room.stride))
            self.figures.counters["phase_shifts"] += moved

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
        self.console.look(now_s)
        self._simulation.deliver(now_s)
        if self._timer.due_s == float("inf"):
            for _ in range(5):
                self._rounds.visit_some(now_s)
            self._collector.run(now_s, float("inf"))
        if tell:
            self._shed(now_s)
            counters = self._counters + self.figures.counters
            if self.door is not None:
                self.door.look_after(now_s)
                counters += self.door.figures()
            counters.update(self.sharing.counters)
            counters.update(self.hearing.counters)
            counters.update(self.archive.counters)
            counters.update(self.beside.counters)
            counters["fanout_dropped"] = self.table.dropped
            counters["forward_sent"] = self._forward_table.sent
            counters["forward_dropped"] = self._forward_table.dropped
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
            self._control.send(content_of(judged))

    def wake(self, room: Room) -> None:
        """Let a room run from the next slot on."""
        slot = self._timer.slot_at(time.monotonic()) + 1
        if self.hall.wake(room, slot):
            if self.hall.awake == 1:
                self._ran = max(self._ran, slot - 1)
            upcoming = self.hall.next_slot(self._ran)
            if upcoming is not None and self._timer.time_of(upcoming) < self._timer.due_s:
                self._timer.set(upcoming)
            self._follow_activity()

    def room_time(self, room: Room, instant_s: float) -> int:
        """Return a room's media time at an instant, in samples."""
        return room.media_time((instant_s - self._timer.epoch_s) / SLOT_S)

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
        return self._residents.kept()

    def kept_all(self) -> KeptAll:
        """Say how the connections are, to a front process that knows nothing else of them."""
        self.console.stop_watching()
        self._loop.call_soon(self.forwarder.tell_everything)
        return KeptAll(self._residents.states())

    def handle(self, message: ToWorker) -> Coroutine[None, None, ToFront] | ToFront | None:
        """Carry out one message of the front process."""
        match message:
            case PutRoom():
                self._residents.put_room(message)
            case DropRoom(room_id):
                self._residents.drop_room(room_id)
            case PutParticipant():
                self._residents.put_participant(message)
            case DropParticipant(participant_id):
                self._residents.drop_participant(participant_id)
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

    # ---- what connections ask ----------------------------------------------------------------

    def new_peer(self, participant_id: str) -> Peer:
        """Return a new connection of a participant's."""
        return Peer(
            participant_id,
            self._arrivals,
            time.monotonic(),
            bitrate_bps=self._publisher_bitrate_bps,
        )

    def negotiated(self) -> None:
        """Take note that a handshake may be beginning."""
        self.figures.count_connecting(self.participants)
        self._follow_activity()

    def connection_changed(self, participant: Participant) -> None:
        """Follow a connection that was established, broke off or ended."""
        self.attach(participant)
        self.negotiator.settle(participant)
        self.negotiated()

    def attach(self, participant: Participant) -> None:
        """Make a participant's room agree with its connection, and wake the room."""
        if participant.udp is not None and self.door is not None:
            self.door.attach(participant)
            follow_listeners(participant.room, self.console, time.monotonic())
        else:
            attach(participant, self.console, time.monotonic())
        self._simulation.follow(participant)
        self.wake(participant.room)

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
