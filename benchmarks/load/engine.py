"""The media process: one loop that sends on time and reads in batches.

Everything is done in this one thread. When no handshake is under way, sockets are read at most
every 4 ms: the kernel has stamped the datagrams, so a late read falsifies nothing and costs less.
"""

import heapq
import itertools
import random
import select
import time
from collections.abc import Callable
from multiprocessing.connection import Connection as Pipe

import numpy as np
from OpenSSL import SSL

from benchmarks.load.arrivals import ArrivalLog
from benchmarks.load.commands import (
    Collect,
    Command,
    Connect,
    Connected,
    Event,
    Failed,
    FirstPacket,
    Leave,
    Mark,
    Move,
    Open,
    Opened,
    Quit,
    Ready,
    RecordedPacket,
    Sent,
    Speak,
    Window,
)
from benchmarks.load.dtls import Certificate, make_context
from benchmarks.load.participant import Participant, State
from benchmarks.load.sockets import Batch, Sockets
from benchmarks.load.speaker import Speaker
from mixer.netsim import NetworkSimulator

CONSENT_INTERVAL_S = 2.5  # Chromium's, for a connection that works
REPORT_INTERVAL_S = 5.0  # RFC 3550's for audio, half to one and a half times
_CHECK_INTERVALS_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
_READ_INTERVAL_S = 0.004
_BATCHES_PER_TURN = 16

Job = Callable[[], None]


class MediaEngine:
    """Carries the participants of one media process."""

    def __init__(
        self, sockets: Sockets, certificate: Certificate, pipe: Pipe, capacity: int
    ) -> None:
        self._sockets = sockets
        self._pipe = pipe
        self._context: SSL.Context = make_context(certificate)
        self._participants: dict[int, Participant] = {}
        self._speakers: dict[int, Speaker] = {}
        self._records = np.zeros(capacity, bool)
        self._awaits_sound: set[int] = set()
        self._log = ArrivalLog(capacity)
        self._recordings: dict[int, list[tuple[int, bytes]]] = {}
        self._sent: list[tuple[int, int, int, int]] = []
        self._jobs: list[tuple[int, int, Job]] = []
        self._job_numbers = itertools.count()
        self._connecting: set[int] = set()
        self._running = True
        self._window_began = time.monotonic()
        self._window_cpu_s = time.process_time()
        self._window_dropped = 0

    def run(self) -> None:
        """Work until told to quit."""
        self._tell(Ready())
        while self._running:
            self._run_due_jobs()
            self._wait()
            if self._pipe.poll():
                self._handle(self._pipe.recv())
            for _ in range(_BATCHES_PER_TURN):
                batch = self._sockets.receive()
                if batch is None:
                    break
                self._handle_batch(batch)
        self._sockets.close()

    # ---- time ------------------------------------------------------------------------------

    def _wait(self) -> None:
        """Sleep until a job is due or there is something to read.

        select, because its time-out is exact to microseconds where epoll's is to milliseconds.
        """
        quiet = not self._connecting
        timeout_s = _READ_INTERVAL_S if quiet else 0.5
        if self._jobs:
            timeout_s = min(timeout_s, (self._jobs[0][0] - time.monotonic_ns()) / 1e9)
        watched = [self._pipe.fileno()] if quiet else [self._pipe.fileno(), self._sockets.fileno()]
        select.select(watched, [], [], max(timeout_s, 0))

    def _at(self, due_ns: int, job: Job) -> None:
        heapq.heappush(self._jobs, (due_ns, next(self._job_numbers), job))

    def _after(self, seconds: float, job: Job) -> None:
        self._at(time.monotonic_ns() + int(seconds * 1e9), job)

    def _run_due_jobs(self) -> None:
        while self._jobs and self._jobs[0][0] <= time.monotonic_ns():
            heapq.heappop(self._jobs)[2]()

    # ---- commands --------------------------------------------------------------------------

    def _tell(self, event: Event) -> None:
        self._pipe.send(event)

    def _handle(self, command: Command) -> None:
        match command:
            case Open(participant):
                self._tell(Opened(participant, self._sockets.open(participant)))
            case Connect():
                self._connect(command)
            case Speak():
                self._begin_to_speak(command)
            case Move(participant):
                self._sockets.move(participant)
            case Leave(participant):
                self._leave_for_good(participant)
            case Mark():
                self._begin_window()
            case Collect():
                self._tell(self._collect())
            case Quit():
                self._running = False

    def _connect(self, command: Connect) -> None:
        number = command.connection.participant
        remote = command.connection.remote.address

        def send(datagram: bytes) -> None:
            self._sockets.send(number, datagram, remote)

        own = command.certificate
        context = self._context if own is None else make_context(own)
        participant = Participant(command.connection, context, send)
        self._participants[number] = participant
        self._records[number] = command.record
        self._awaits_sound.add(number)
        self._connecting.add(number)
        self._check(number, participant, 0)

    def _check(self, number: int, participant: Participant, attempt: int) -> None:
        """Send connectivity checks, ever more rarely, until one is answered."""
        if participant.state is not State.CHECKING:
            return
        if attempt == len(_CHECK_INTERVALS_S):
            self._fail(number, participant, "no ICE check was answered")
            return
        participant.send_check()
        self._after(
            _CHECK_INTERVALS_S[attempt], lambda: self._check(number, participant, attempt + 1)
        )

    def _fail(self, number: int, participant: Participant, reason: str) -> None:
        participant.state, participant.failure = State.FAILED, reason
        self._connecting.discard(number)
        self._tell(Failed(number, reason))

    def _leave_for_good(self, number: int) -> None:
        """Forget somebody; what is still planned for them finds nobody."""
        gone = self._participants.pop(number, None)
        if gone is not None:
            gone.state = State.FAILED
        self._speakers.pop(number, None)
        self._records[number] = False
        self._awaits_sound.discard(number)
        self._connecting.discard(number)
        self._sockets.shut(number)

    # ---- datagrams -------------------------------------------------------------------------

    def _handle_batch(self, batch: Batch) -> None:
        rtp_rows, other_rows = self._log.handle_batch(batch)
        if rtp_rows.size:
            self._notice_rtp(batch, rtp_rows)
        for row in other_rows:
            participant = self._participants.get(int(batch.participant[row]))
            if participant is not None:
                datagram = batch.data[row, : batch.length[row]].tobytes()
                self._dispatch(int(batch.participant[row]), participant, datagram)

    def _notice_rtp(self, batch: Batch, rows: "np.ndarray[tuple[int], np.dtype[np.intp]]") -> None:
        participants = batch.participant[rows]
        for row in rows[self._records[participants]]:
            self._recordings.setdefault(int(batch.participant[row]), []).append(
                (int(batch.stamp_ns[row]), batch.data[row, : batch.length[row]].tobytes())
            )
        if self._awaits_sound:
            for number in self._awaits_sound.intersection(participants.tolist()):
                self._awaits_sound.discard(number)
                self._tell(FirstPacket(number, int(self._log.first_stamp_ns[number])))

    def _dispatch(self, number: int, participant: Participant, datagram: bytes) -> None:
        """Sort by the first byte (RFC 7983)."""
        first = datagram[0] if datagram else 255
        before = participant.state
        if first < 4:
            participant.handle_stun(datagram)
            if before is State.CHECKING and participant.state is State.HANDSHAKING:
                self._watch_handshake(participant)
        elif 20 <= first < 64:
            participant.handle_dtls(datagram)
            self._notice_handshake(number, participant, before)
        elif 128 <= first < 192:
            participant.handle_rtcp(datagram, time.monotonic_ns())
            speaker = self._speakers.get(number)
            if speaker is not None:
                speaker.source.handle_loss(participant.remote_loss)

    def _notice_handshake(self, number: int, participant: Participant, before: State) -> None:
        if participant.state is before:
            return
        self._connecting.discard(number)
        if participant.state is State.CONNECTED:
            self._tell(Connected(number))
            # At random times, so that those who joined together do not check together for ever.
            self._after(random.random() * CONSENT_INTERVAL_S, lambda: self._consent(participant))
            self._after(
                random.random() * REPORT_INTERVAL_S, lambda: self._report(number, participant)
            )
        else:
            self._tell(Failed(number, participant.failure))

    def _watch_handshake(self, participant: Participant) -> None:
        """Repeat lost flights for as long as the handshake lasts."""
        if participant.state is not State.HANDSHAKING:
            return
        timeout_s = participant.dtls_timeout_s()
        if timeout_s is not None and timeout_s <= 0:
            participant.repeat_flight()
        wait_s = 0.1 if timeout_s is None else min(max(timeout_s, 0.01), 0.5)
        self._after(wait_s, lambda: self._watch_handshake(participant))

    # ---- what comes round again and again --------------------------------------------------

    def _consent(self, participant: Participant) -> None:
        if participant.state is not State.CONNECTED:
            return
        participant.send_check()
        wait_s = CONSENT_INTERVAL_S * random.uniform(0.9, 1.1)
        self._after(wait_s, lambda: self._consent(participant))

    def _report(self, number: int, participant: Participant) -> None:
        if participant.state is not State.CONNECTED:
            return
        block = self._log.report(number, *participant.last_sr(time.monotonic_ns()))
        participant.send_reports(block)
        wait_s = REPORT_INTERVAL_S * random.uniform(0.5, 1.5)
        self._after(wait_s, lambda: self._report(number, participant))

    # ---- speaking --------------------------------------------------------------------------

    def _begin_to_speak(self, command: Speak) -> None:
        next_second = time.monotonic_ns() // 1_000_000_000 + 1
        start_ns = next_second * 1_000_000_000 + int(command.offset_s * 1e9)
        network: NetworkSimulator[None] | None = None
        if command.network is not None:
            network = NetworkSimulator(command.network, command.seed)
        speaker = Speaker(command.plan.build(), start_ns, network)
        self._speakers[command.participant] = speaker
        self._at(start_ns, lambda: self._speak(command.participant, speaker))

    def _speak(self, number: int, speaker: Speaker) -> None:
        """Send the packet that is ready, and see to the next."""
        participant = self._participants.get(number)
        if participant is None:
            return
        due_ns, packet_number = speaker.due_ns, speaker.number
        packet = speaker.source.packet(packet_number)
        speaker.number += 1
        self._at(speaker.due_ns, lambda: self._speak(number, speaker))
        if packet is None:
            participant.skip(speaker.source.packet_samples)
            speaker.begins_talkspurt = True
            return
        datagram = participant.protect(
            *packet, speaker.source.packet_samples, marker=speaker.begins_talkspurt
        )
        speaker.begins_talkspurt = False
        late_ns = time.monotonic_ns() - due_ns
        ready_ns = time.time_ns() - late_ns
        if speaker.network is None:
            self._leave(number, packet_number, ready_ns, datagram)
            return
        leaves_ns = speaker.leave_at(due_ns, len(datagram))
        if not leaves_ns:
            self._sent.append((number, packet_number, ready_ns, 0))
        for leave_ns in leaves_ns:
            self._at(leave_ns, lambda: self._leave(number, packet_number, ready_ns, datagram))

    def _leave(self, number: int, packet_number: int, ready_ns: int, datagram: bytes) -> None:
        participant = self._participants.get(number)
        if participant is None:
            return
        sent_ns = time.time_ns()
        participant.send(datagram)
        self._sent.append((number, packet_number, ready_ns, sent_ns))

    # ---- windows ---------------------------------------------------------------------------

    def _begin_window(self) -> None:
        self._log.clear()
        self._recordings.clear()
        self._sent.clear()
        self._window_began = time.monotonic()
        self._window_cpu_s = time.process_time()
        self._window_dropped = self._sockets.dropped()

    def _collect(self) -> Window:
        duration_s = time.monotonic() - self._window_began
        cpu_s = time.process_time() - self._window_cpu_s
        columns = np.array(self._sent, np.int64).reshape(-1, 4).T
        return Window(
            arrivals=self._log.window(),
            sent=Sent(*columns),
            recordings={number: self._plain(number) for number in self._recordings},
            dropped=self._sockets.dropped() - self._window_dropped,
            cpu_s=cpu_s,
            duration_s=duration_s,
        )

    def _plain(self, number: int) -> list[RecordedPacket]:
        participant = self._participants.get(number)
        plain: list[RecordedPacket] = []
        if participant is None:
            return plain
        for stamp_ns, protected in self._recordings[number]:
            packet = participant.unprotect(protected)
            if packet is not None:
                plain.append(RecordedPacket(stamp_ns, packet))
        return plain
