"""`/health`: is this process alive, and what are its workers; `/health/ready`: send people here."""

from typing import Literal

import msgspec
from aiohttp import web

from webrtc.api.guard import Need
from webrtc.api.routes import Reply, Route, json_reply
from webrtc.control.messages import Welcome
from webrtc.signaling.desk import FrontDesk


class WorkerHealth(msgspec.Struct, frozen=True):
    """One media worker.

    `realtime` says whether the system granted real-time priority, `engine` who sends packets
    ("compiled" or slower), `dsp` who runs the strips ("numba", or "numpy", which is slower),
    `denoisers` which engines of noise suppression are installed, `voice` who tells voices from
    noise ("silero", "webrtc", or "level" where neither is installed).
    """

    worker: int
    connected: bool
    pid: int | None = None
    udp_port: int | None = None
    realtime: bool | None = None
    engine: str | None = None
    dsp: str | None = None
    denoisers: list[str] | None = None
    voice: str | None = None


class Health(msgspec.Struct, frozen=True):
    """The state of this server.

    `redis` says whether Redis is there: without it, a replica serves its own people alone. `none`
    where rooms are in memory.
    """

    status: str
    workers: list[WorkerHealth]
    redis: Literal["none", "there", "away"] = "none"


class HealthResource:
    """Answers the probes."""

    def __init__(self, desk: FrontDesk) -> None:
        self._desk = desk
        self.routes = [
            Route(
                "GET",
                "/health",
                self.live,
                "Liveness: answers as long as the front process does.",
                {200: Reply("The front process is alive.", Health)},
                need=Need.NOBODYS,
            ),
            Route(
                "GET",
                "/health/ready",
                self.ready,
                "Readiness: every worker has been there, one is now, and nothing is draining.",
                {
                    200: Reply("People may be sent here.", Health),
                    503: Reply("Not now.", Health),
                },
                need=Need.NOBODYS,
            ),
        ]

    async def live(self, _: web.Request) -> web.Response:
        """`GET /health`."""
        return json_reply(self._health("ok"))

    async def ready(self, _: web.Request) -> web.Response:
        """`GET /health/ready`."""
        workers = self._workers()
        if self._desk.entrance.draining:
            return json_reply(self._health("draining"), 503)
        complete = all(worker.pid is not None for worker in workers)
        if complete and any(worker.connected for worker in workers):
            return json_reply(self._health("ready"))
        return json_reply(self._health("starting"), 503)

    def _health(self, status: str) -> Health:
        shared = self._desk.shared
        if shared is None:
            return Health(status, self._workers())
        return Health(status, self._workers(), "there" if shared.is_there else "away")

    def _workers(self) -> list[WorkerHealth]:
        pool = self._desk.workers
        return [
            _health(worker, pool.connected(worker), pool.welcome(worker))
            for worker in range(len(pool))
        ]


def _health(worker: int, connected: bool, welcome: Welcome | None) -> WorkerHealth:
    if welcome is None:
        return WorkerHealth(worker, connected)
    return WorkerHealth(
        worker,
        connected,
        welcome.pid,
        welcome.udp_port,
        welcome.realtime,
        welcome.engine,
        welcome.dsp,
        welcome.denoisers,
        welcome.voice,
    )
