"""Starts, watches, restarts and ends the front process and the media workers.

Invariant: every place is filled by at most one process, and when `run` returns no process is left.
The sockets belong to the supervisor and outlive every child (supervisor_sockets.py).

| state    | event                    | next     | effect                                          |
|----------|--------------------------|----------|-------------------------------------------------|
| starting | `GET /health/ready`: 200 | ready    | the address is printed, the spares are started  |
| starting | a child is given up      | stopping | exit status 2 if the operator can help, else 1; |
|          |                          |          | the server goes on without an optional one      |
| starting | SIGTERM or SIGINT        | stopping | exit status 0                                   |
| ready    | SIGTERM or SIGINT        | stopping | exit status 0                                   |
| stopping | SIGTERM or SIGINT        | stopping | the children are killed at once                 |
| stopping | the last child ended     | ended    | sockets and runtime folder are removed          |

What happens to each single child stands in supervisor_child.py; one that hangs is found by its
pulse (supervisor_pulse.py). A place that falls empty is filled
by a warm spare when there is one, and the spare is replaced after a pause, because its imports
would compete with the very child that has just come back.
"""

import asyncio
import functools
import logging
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from webrtc import supervisor_process
from webrtc.runtime_dir import classifier_pulse_path, pulse_path, runtime_dir
from webrtc.settings import Settings
from webrtc.supervisor_child import (
    GRACE_S,
    STATUS_OPERATOR,
    Child,
    GiveUp,
    Signal,
    Start,
    State,
)
from webrtc.supervisor_process import PROGRAM, Place, Process, Spare
from webrtc.supervisor_pulse import BEAT_S, HUNG_S, IDLE_HUNG_S, last_beat
from webrtc.supervisor_ready import until_ready
from webrtc.supervisor_sockets import ServerSockets, bind_all

SPARE_PAUSE_S: Final = 2.0
"""Between a spare's promotion and the start of the next spare."""
SPARE_FAILED_PAUSE_S: Final = 30.0
"""After a spare that ended by itself."""
SLOW_START_S: Final = 20.0

_log = logging.getLogger(__name__)


def run(
    settings: Settings, environment: Mapping[str, str], program: Sequence[str] = PROGRAM
) -> int:
    """Run the server until a signal ends it; return the exit status.

    Args:
        settings: what the operator decided.
        environment: what the children inherit beside the settings.
        program: command of the children's program, which takes the arguments of `webrtc.app`.

    Raises:
        StartError: a port cannot be taken; nothing was started.
    """
    sockets, bound = bind_all(settings)
    try:
        with runtime_dir() as folder:
            supervisor = Supervisor(bound, _places(sockets, folder), environment, program)
            return asyncio.run(supervisor.run())
    finally:
        sockets.close()


def _places(sockets: ServerSockets, folder: Path) -> list[Place]:
    where = ("--runtime-dir", str(folder))
    workers = [
        Place(
            f"media worker {index}",
            "worker",
            ("--index", str(index), *where),
            (("--udp-fd", media), *_gateway(sockets.gateway_media[index : index + 1])),
            pulse_path(folder, index),
        )
        for index, media in enumerate(sockets.media)
    ]
    listeners = (
        ("--signaling-fd", sockets.signaling),
        ("--static-fd", sockets.static),
        *_gateway([] if sockets.gateway is None else [sockets.gateway]),
    )
    front = Place("front process", "front", where, listeners, pulse_path(folder))
    classifier = Place(
        "classifier",
        "classifier",
        where,
        (),
        classifier_pulse_path(folder),
        is_optional=True,
        # Threads of the numerics would only take turns with the media workers.
        environment=(("OMP_NUM_THREADS", "1"), ("OPENBLAS_NUM_THREADS", "1")),
    )
    return [*workers, front, classifier]


def _gateway(sockets: Sequence[socket.socket]) -> tuple[tuple[str, socket.socket], ...]:
    return tuple(("--gateway-fd", one) for one in sockets)


@dataclass(slots=True, eq=False)
class _Seat:
    """A place, the state of the child that fills it, and what runs for it now."""

    place: Place
    child: Child
    process: Process | None = None
    timer: asyncio.TimerHandle | None = None


class Supervisor:
    """The state machine above; `run` is called once."""

    def __init__(
        self,
        settings: Settings,
        places: Sequence[Place],
        environment: Mapping[str, str],
        program: Sequence[str],
    ) -> None:
        self._settings = settings
        self._environment = {**environment, **settings.to_environment()}
        self._program = program
        self._places = places
        self._seats: list[_Seat] = []
        self._spares: dict[str, Spare] = {}
        self._stopping = False
        self._status = 0
        self._ended = asyncio.Event()

    async def run(self) -> int:
        """Fill every place, print the address when all is ready, and end on a signal."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._handle_signal, number)
        self._seats = [_Seat(place, Child(loop.time())) for place in self._places]
        for seat in self._seats:
            self._drive(seat)
        self._log_ports()
        ready = asyncio.create_task(self._become_ready(), name="become ready")
        ended = asyncio.create_task(self._ended.wait(), name="wait for the end")
        pulse = asyncio.create_task(self._feel_pulses(), name="feel pulses")
        try:
            await asyncio.wait([ready, ended], return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                ready.result()
            await ended
        finally:
            ready.cancel()
            ended.cancel()
            pulse.cancel()
        return self._status

    async def _become_ready(self) -> None:
        loop = asyncio.get_running_loop()
        slow = loop.call_later(SLOW_START_S, _log.warning, "still waiting for the server's parts")
        settings = self._settings
        await until_ready(settings.host, settings.static_port, tls=bool(settings.tls_cert))
        slow.cancel()
        for seat in self._seats:
            seat.child.confirm()
        sys.stdout.write(f"AG06 Mixer is ready: {address_to_open(self._settings)}\n")
        sys.stdout.flush()
        for role in {place.role for place in self._places if not place.is_optional}:
            self._start_spare(role)

    def _log_ports(self) -> None:
        chosen = self._settings
        last = chosen.media_port_of(chosen.media_workers - 1)
        if chosen.simulated_network:
            _log.warning(
                "networks are made worse on purpose: WEBRTC_SIMULATED_NETWORK is %s",
                chosen.simulated_network,
            )
        if chosen.udp_gateway_port is not None:
            _log.warning(
                "the UDP gateway at port %d carries sound without encryption",
                chosen.udp_gateway_port,
            )
        if chosen.udp_plain_room:
            _log.warning(
                "whoever has a private address may speak in the room %s by the UDP gateway",
                chosen.udp_plain_room,
            )
        _log.info(
            "listening on %s: TCP %d (API), TCP %d (page), UDP %d to %d (media)",
            chosen.host,
            chosen.signaling_port,
            chosen.static_port,
            chosen.media_port,
            last,
        )

    # ---- ending -----------------------------------------------------------------------------

    def _handle_signal(self, number: signal.Signals) -> None:
        _log.info("%s: ending", number.name)
        self._stop(0)

    def _give_up(self, status: int) -> None:
        if not self._stopping:
            self._stop(status)

    def _stop(self, status: int) -> None:
        """End everything; asked again, end it without grace.

        While clients are given time to move, the front process goes first: they hear each other
        until they have moved.
        """
        drains = self._settings.drain_s > 0 and not self._stopping
        if not self._stopping:
            self._stopping = True
            self._status = status
            for spare in self._spares.values():
                spare.dismiss()
        now = asyncio.get_running_loop().time()
        for seat in self._seats:
            if not drains:
                seat.child.handle_stop(now)
            elif seat.place.role == "front":
                seat.child.handle_stop(now, self._settings.drain_s + GRACE_S)
            self._drive(seat)

    def _stop_rest(self) -> None:
        """End those who have not been told yet: the front process has ended."""
        now = asyncio.get_running_loop().time()
        for seat in self._seats:
            if seat.child.state in (State.WAITING, State.RUNNING):
                seat.child.handle_stop(now)
                self._drive(seat)

    def _end_if_all_did(self) -> None:
        ended = all(seat.child.state is State.ENDED for seat in self._seats)
        if self._stopping and ended and not self._spares:
            self._ended.set()

    # ---- one place --------------------------------------------------------------------------

    def _drive(self, seat: _Seat) -> None:
        """Tell the child's state machine the time, do what it says, and come back when it asks."""
        loop = asyncio.get_running_loop()
        seat.child.handle_timeout(loop.time())
        for action in seat.child.poll_actions():
            match action:
                case Start():
                    self._fill(seat)
                case Signal(number):
                    if seat.process is not None:  # else its start has just failed
                        seat.process.send(number)
                case GiveUp() if seat.place.is_optional:
                    _log.warning("%s cannot start; going on without it", seat.place.name)
                case GiveUp(status):
                    _log.info("%s cannot start; ending", seat.place.name)
                    loop.call_soon(self._give_up, status)
        if seat.timer is not None:
            seat.timer.cancel()
        due = seat.child.poll_timeout()
        seat.timer = None if due is None else loop.call_at(due, self._drive, seat)
        self._end_if_all_did()

    def _fill(self, seat: _Seat) -> None:
        """Put a spare or a new process into the seat."""
        spare = self._spares.pop(seat.place.role, None)
        if spare is not None and spare.assign(seat.place):
            seat.process = spare.process
            self._start_spare_after(SPARE_PAUSE_S, seat.place.role)
        else:
            try:
                seat.process = supervisor_process.start(
                    self._program, seat.place, self._environment
                )
            except OSError as error:
                _log.error("%s could not be started: %s", seat.place.name, error)
                asyncio.get_running_loop().call_soon(self._handle_exit, seat, 1)
                return
        seat.process.on_exit = functools.partial(self._handle_exit, seat)

    def _handle_exit(self, seat: _Seat, status: int) -> None:
        # A child that ends with this status has told the operator why itself.
        if not self._stopping and status != STATUS_OPERATOR:
            _log.warning("%s ended: %s", seat.place.name, describe(status))
        seat.process = None
        seat.child.handle_exit(status, asyncio.get_running_loop().time())
        self._drive(seat)
        if self._stopping and seat.child.state is State.ENDED:
            self._stop_rest()

    async def _feel_pulses(self) -> None:
        """End children that hang."""
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(BEAT_S)
            if loop.time() - before > 2 * BEAT_S:
                continue  # we hung ourselves, and perhaps all of us: let them beat first
            for seat in self._seats:
                beat = last_beat(seat.place.pulse)
                if seat.process is None or beat is None or beat.pid != seat.process.pid:
                    continue  # it has not begun yet
                if loop.time() - beat.at_s > (IDLE_HUNG_S if seat.place.is_optional else HUNG_S):
                    _log.warning("%s gives no sign of life; ending it", seat.place.name)
                    seat.child.handle_hang()
                    self._drive(seat)

    # ---- spares -----------------------------------------------------------------------------

    def _start_spare_after(self, pause_s: float, role: str) -> None:
        asyncio.get_running_loop().call_later(pause_s, self._start_spare, role)

    def _start_spare(self, role: str) -> None:
        if self._stopping or role in self._spares:
            return
        try:
            spare = Spare(self._program, role, self._environment)
        except OSError:  # the machine is short of something: a spare is a luxury
            self._start_spare_after(SPARE_FAILED_PAUSE_S, role)
            return
        spare.process.on_exit = functools.partial(self._handle_spare_exit, role, spare)
        self._spares[role] = spare

    def _handle_spare_exit(self, role: str, spare: Spare, status: int) -> None:
        """A spare ended without having been given a place."""
        if self._spares.get(role) is spare:
            del self._spares[role]
        if self._stopping:
            self._end_if_all_did()
            return
        _log.warning("the spare %s ended: %s", role, describe(status))
        self._start_spare_after(SPARE_FAILED_PAUSE_S, role)


def address_to_open(settings: Settings) -> str:
    """Return the page's address for a browser on this machine."""
    own = settings.host in ("0.0.0.0", "127.0.0.1")  # noqa: S104 — compared, not bound
    scheme = "https" if settings.tls_cert else "http"
    return f"{scheme}://{'localhost' if own else settings.host}:{settings.static_port}"


def describe(status: int) -> str:
    """Return an exit status in words."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:  # a real-time signal has no name
        return f"killed by signal {-status}"
