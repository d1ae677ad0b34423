"""Janus's AudioBridge and ours in turn, with the same client: CPU, latency, memory, and the ratios.

Janus is Debian's package, installed where that is permitted. Its ICE binds to the network
interface, so here every participant of either server has a socket of its own on this machine's own
address. Each server gets the packets that it asks browsers for: Janus 20 ms, ours what its answer
says. Janus mixes in stereo (spatial audio) at 48 kHz and 96 kb/s, like ours; everything else is its
default, and its latency is also shown with the smallest prebuffer, which loses sound.
"""

from dataclasses import dataclass

from benchmarks.capacity import SCENES, Scene, measure_scene
from benchmarks.harness.janus import ensure_janus, janus_server
from benchmarks.harness.options import Options, parse_options, run
from benchmarks.harness.packages import MissingPackageError
from benchmarks.harness.report import Figure, print_result, print_table, quantiles
from benchmarks.latency import SERVER_LOOKAHEAD_SAMPLES, Delays, measure
from benchmarks.load.doors import SocketIoDoor
from benchmarks.load.janus_door import AudioBridgeSettings, JanusDoor
from benchmarks.load.swarm import SwarmSettings
from benchmarks.memory import measure_memory, slope_kb
from webrtc.hosts import own_ipv4_addresses

LATENCY_PTIME_MS = 20
# OPUS_APPLICATION_VOIP and _AUDIO look 6.5 ms ahead at 48 kHz.
JANUS_LOOKAHEAD_SAMPLES = 312
MEMORY_SIZES = (50, 150)
QUICK_MEMORY_SIZES = (30, 60)
_MEMORY_SETTLE_S = 5.0


@dataclass(frozen=True, slots=True)
class Pair:
    """The same thing measured at both servers."""

    name: str
    ours: float
    janus: float

    @property
    def ratio(self) -> float:
        """Return how many times more Janus takes."""
        return self.janus / self.ours if self.ours else float("inf")


async def compare_cpu(scene: Scene, options: Options, settings: SwarmSettings) -> Pair:
    """Return ms per participant-second at both."""
    async with options.server() as server:
        ours = await measure_scene(
            server, SocketIoDoor(server.base_url), scene, options.seconds, settings
        )
    async with janus_server() as server:
        janus = await measure_scene(
            server, JanusDoor(server.base_url), scene, options.seconds, settings
        )
    return Pair(scene.name, ours.ms_per_participant_second, janus.ms_per_participant_second)


async def compare_memory(options: Options, settings: SwarmSettings) -> Pair:
    """Return KB per participant at both."""
    sizes = QUICK_MEMORY_SIZES if options.quick else MEMORY_SIZES
    async with options.server() as server:
        ours = await measure_memory(
            server, SocketIoDoor(server.base_url), sizes, _MEMORY_SETTLE_S, settings
        )
    async with janus_server() as server:
        janus = await measure_memory(
            server, JanusDoor(server.base_url), sizes, _MEMORY_SETTLE_S, settings
        )
    return Pair(f"KB per participant, {sizes[0]} to {sizes[1]}", slope_kb(ours), slope_kb(janus))


async def compare_latency(options: Options, settings: SwarmSettings) -> dict[str, Delays]:
    """Return the delays in ten rooms of two: ours, Janus, and Janus with the smallest prebuffer."""
    found = {}
    async with options.server({"WEBRTC_PTIME_MS": str(LATENCY_PTIME_MS)}) as server:
        found["AG06 Mixer"] = await measure(
            SocketIoDoor(server.base_url),
            LATENCY_PTIME_MS,
            options.seconds,
            lookahead_samples=SERVER_LOOKAHEAD_SAMPLES,
            settings=settings,
        )
    for name, prebuffer in (("Janus", None), ("Janus, prebuffer 1", 1)):
        async with janus_server() as server:
            found[name] = await measure(
                JanusDoor(server.base_url, AudioBridgeSettings(prebuffer=prebuffer)),
                LATENCY_PTIME_MS,
                options.seconds,
                lookahead_samples=JANUS_LOOKAHEAD_SAMPLES,
                settings=settings,
            )
    return found


async def main() -> None:
    """Compare and tell the result."""
    options = parse_options("Janus AudioBridge and ours in turn", 20, 5)
    try:
        ensure_janus()
    except MissingPackageError as error:
        raise SystemExit(str(error)) from None
    addresses = own_ipv4_addresses()
    if not addresses:
        raise SystemExit("Janus needs a network interface besides loopback")
    settings = SwarmSettings(own_sockets_on=addresses[0], hosts=addresses[:1])
    latency = await compare_latency(options, settings)
    pairs = [await compare_cpu(scene, options, settings) for scene in SCENES]
    memory = await compare_memory(options, settings)
    _tell(latency, pairs, memory)


def _tell(latency: dict[str, Delays], pairs: list[Pair], memory: Pair) -> None:
    rows: list[list[Figure]] = [
        [
            name,
            *quantiles(delays.delays_ms).values(),
            delays.heard,
            delays.sent,
            100 * delays.bad_share,
        ]
        for name, delays in latency.items()
    ]
    columns = ["latency, ms", "p50", "p95", "p99", "heard", "sent", "bad %"]
    print_table(f"Ten rooms of 2, {LATENCY_PTIME_MS} ms packets", columns, rows)
    costs: list[list[Figure]] = [[p.name, p.ours, p.janus, p.ratio] for p in [*pairs, memory]]
    print_table("ms of CPU per participant-second", ["", "ours", "Janus", "ratio"], costs)
    print_result(
        "peers",
        {
            "latency_ms": {name: quantiles(delays.delays_ms) for name, delays in latency.items()},
            "ms_per_participant_second": {
                p.name: [round(p.ours, 2), round(p.janus, 2)] for p in pairs
            },
            "ratio": {p.name: round(p.ratio, 2) for p in pairs},
            "kb_per_participant": [round(memory.ours), round(memory.janus)],
        },
    )


if __name__ == "__main__":
    run(main)
