"""`/metrics`: the figures in Prometheus' text format (version 0.0.4)."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from aiohttp import web

from webrtc.api.guard import Need
from webrtc.api.routes import Reply, Route
from webrtc.control.messages import SpreadStats
from webrtc.signaling.desk import FrontDesk
from webrtc.signaling.dispatch import Dispatcher
from webrtc.signaling.socketio_adapter import SignalingServer

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_Labels = dict[str, str | int]


@dataclass(slots=True)
class Metric:
    """One metric and its samples."""

    name: str
    kind: str
    meaning: str
    samples: list[tuple[_Labels, float]] = field(default_factory=list)

    def text(self) -> str:
        """Return the metric in the exposition format."""
        lines = [f"# HELP {self.name} {self.meaning}", f"# TYPE {self.name} {self.kind}"]
        lines += [f"{self.name}{_labels(labels)} {value!r}" for labels, value in self.samples]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Histogram:
    """One histogram and its samples."""

    name: str
    meaning: str
    samples: list[tuple[_Labels, SpreadStats]]

    def text(self) -> str:
        """Return the metric in the exposition format."""
        lines = [f"# HELP {self.name} {self.meaning}", f"# TYPE {self.name} histogram"]
        for labels, spread in self.samples:
            bounds = [*map(repr, spread.bounds_s), "+Inf"]
            lines += [
                f"{self.name}_bucket{_labels({**labels, 'le': bound})} {count}"
                for bound, count in zip(bounds, spread.counts, strict=True)
            ]
            lines.append(f"{self.name}_sum{_labels(labels)} {spread.sum_s!r}")
            lines.append(f"{self.name}_count{_labels(labels)} {spread.counts[-1]}")
        return "\n".join(lines) + "\n"


def _labels(labels: _Labels) -> str:
    if not labels:
        return ""
    inner = ",".join(f'{name}="{_escaped(str(value))}"' for name, value in labels.items())
    return "{" + inner + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


_WORKER_METRICS = (
    ("ag06_worker_cpu_seconds_total", "counter", "CPU time of the media worker.", "cpu_s"),
    ("ag06_worker_uptime_seconds", "gauge", "Time since the worker started.", "uptime_s"),
    ("ag06_worker_rooms", "gauge", "Rooms of the worker.", "rooms"),
    ("ag06_worker_participants", "gauge", "Participants of the worker.", "participants"),
    ("ag06_worker_peers", "gauge", "Peer connections of the worker.", "peers"),
    ("ag06_worker_ticks_total", "counter", "Ticks of the mixer.", "ticks"),
    ("ag06_worker_tick_overruns_total", "counter", "Ticks longer than a tick.", "tick_overruns"),
    ("ag06_worker_late_ticks_total", "counter", "Ticks that began late.", "late_ticks"),
    ("ag06_worker_encodes_total", "counter", "Opus frames encoded.", "encodes"),
    ("ag06_worker_shedding", "gauge", "Step of what is left out for lack of time.", "shedding"),
)

_WORKER_SPREADS = (
    ("ag06_worker_tick_seconds", "Work of each tick.", "tick"),
    (
        "ag06_worker_jitter_buffer_seconds",
        "Wait of each publisher's packets before they are mixed, once a second.",
        "mix_wait",
    ),
    (
        "ag06_worker_bus_round_trip_seconds",
        "Time that Redis took to answer what was sent to other replicas.",
        "bus_round_trip",
    ),
)
_WORKER_COUNTERS = (
    (
        "ag06_worker_concealed_seconds_total",
        "Sound of publishers that was missing and made up.",
        "concealed_ms",
        0.001,
    ),
    ("ag06_worker_bus_sent_total", "Frames sent to other workers.", "bus_sent", 1),
    (
        "ag06_worker_bus_lost_total",
        "Frames of other workers that never came.",
        "bus_lost",
        1,
    ),
    (
        "ag06_worker_bus_dropped_total",
        "Frames to or of other workers that there was no room for.",
        "bus_dropped",
        1,
    ),
)


class MetricsResource:
    """Answers the scraper."""

    def __init__(self, desk: FrontDesk, dispatcher: Dispatcher, signaling: SignalingServer) -> None:
        self._desk = desk
        self._dispatcher = dispatcher
        self._signaling = signaling
        self.routes = [
            Route(
                "GET",
                "/metrics",
                self.metrics,
                "Metrics for Prometheus.",
                {200: Reply("The metrics.", str, "text/plain")},
                need=Need.OPERATOR,
            )
        ]

    async def metrics(self, _: web.Request) -> web.Response:
        """`GET /metrics`."""
        rooms = await self._desk.conference.store.rooms()
        metrics: list[Metric | Histogram] = [
            *self._front(len(rooms)),
            *self._archive(),
            *self._workers(),
        ]
        text = "".join(metric.text() for metric in metrics)
        return web.Response(
            body=text.encode(), headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
        )

    def _front(self, rooms: int) -> Iterator[Metric]:
        seats = self._desk.presence.all_seats()
        detached = sum(seat.connection is None for seat in seats)
        signaling = self._signaling
        yield _one(
            "ag06_rooms", "gauge", "Rooms, those that are served by other replicas included.", rooms
        )
        yield _one("ag06_participants", "gauge", "Participants of this server.", len(seats))
        yield _one(
            "ag06_participants_detached", "gauge", "Participants whose socket is lost.", detached
        )
        yield _one("ag06_sockets", "gauge", "Open websockets.", signaling.socket_count)
        yield _one(
            "ag06_slow_sockets_total",
            "counter",
            "Websockets closed because the client did not read.",
            signaling.slow_sockets,
        )
        yield _one(
            "ag06_dropped_levels_total",
            "counter",
            "Levels messages that lagging clients did not get.",
            signaling.dropped_levels,
        )
        shared = self._desk.shared
        if shared is not None:
            yield _one(
                "ag06_redis_connected", "gauge", "Whether Redis is there.", int(shared.is_there)
            )
            yield _one(
                "ag06_redis_losses_total", "counter", "How often Redis was lost.", shared.times_away
            )
        yield _one(
            "process_cpu_seconds_total",
            "counter",
            "CPU time of the front process.",
            time.process_time(),
        )
        yield Metric(
            "ag06_events_total",
            "counter",
            "Client events by answer.",
            [
                ({"event": event, "reason": reason}, count)
                for (event, reason), count in sorted(self._dispatcher.events.items())
            ],
        )

    def _archive(self) -> Iterator[Metric]:
        sessions, recordings = self._desk.sessions, self._desk.recordings
        live = recordings.live
        opened = len(sessions.keeper.open_sessions)
        yield _one("ag06_sessions_open", "gauge", "Sessions whose sound is kept.", opened)
        yield Metric(
            "ag06_session_events_total",
            "counter",
            "Chunks of sessions' sound kept and lost, and what led there.",
            [({"counter": name}, count) for name, count in sessions.counters.items()],
        )
        yield _one("ag06_recordings", "gauge", "Recordings that go on.", len(live))
        tracks, size = sum(one.tracks for one in live), sum(one.bytes for one in live)
        yield _one("ag06_recording_tracks", "gauge", "Tracks that they have.", tracks)
        yield _one("ag06_recording_bytes", "gauge", "Bytes that they have written.", size)
        warned = sum(bool(one.warning) for one in live)
        yield _one("ag06_recordings_warned", "gauge", "Those whose disk is nearly full.", warned)
        yield _one(
            "ag06_recording_dropped_seconds_total",
            "counter",
            "Sound that recorders were too late for.",
            recordings.dropped_ms / 1000,
        )
        yield Metric(
            "ag06_recordings_ended_total",
            "counter",
            "Recordings that are over, by how they ended.",
            [({"state": state}, count) for state, count in sorted(recordings.ended.items())],
        )

    def _workers(self) -> Iterator[Metric | Histogram]:
        pool = self._desk.workers
        yield Metric(
            "ag06_worker_connected",
            "gauge",
            "Whether the media worker is there.",
            [({"worker": worker}, int(pool.connected(worker))) for worker in range(len(pool))],
        )
        present = [
            stats for worker in range(len(pool)) if (stats := pool.stats(worker)) is not None
        ]
        for name, kind, meaning, attribute in _WORKER_METRICS:
            samples: list[tuple[_Labels, float]] = [
                ({"worker": stats.worker}, getattr(stats, attribute)) for stats in present
            ]
            yield Metric(name, kind, meaning, samples)
        for name, meaning, field_name in _WORKER_SPREADS:
            spreads: list[tuple[_Labels, SpreadStats]] = [
                ({"worker": stats.worker}, spread)
                for stats in present
                if (spread := getattr(stats, field_name)) is not None
            ]
            yield Histogram(name, meaning, spreads)
        for name, meaning, counter, unit in _WORKER_COUNTERS:
            yield Metric(
                name,
                "counter",
                meaning,
                [
                    ({"worker": stats.worker}, stats.counters[counter] * unit)
                    for stats in present
                    if counter in stats.counters
                ],
            )
        yield Metric(
            "ag06_worker_events_total",
            "counter",
            "What the media worker counts: drops, late packets, concealment and more.",
            [
                ({"worker": stats.worker, "counter": counter}, value)
                for stats in present
                for counter, value in sorted(stats.counters.items())
            ],
        )


def _one(name: str, kind: str, meaning: str, value: float) -> Metric:
    return Metric(name, kind, meaning, [({}, value)])
