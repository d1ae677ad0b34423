"""Rooms that forward: server CPU per participant, and how long a packet stays in the server.

Rooms of 25 and 100 in which three send what Chromium sends, stereo at 96 kb/s in packets of 20 ms,
and everybody takes as many tracks as people are heard. CPU is that of all the server's processes.
A packet's delay is from right before the client hands it to the kernel until the kernel has the
forwarded one; one of the listeners knows packets by their payload, which nobody touches.

With `--apart` two media workers serve each room: all who speak are connected with the first, the
listener who knows packets with the second, so that what it hears has crossed the bus.
"""

import argparse
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.harness.cost import Cost, measure_window
from benchmarks.harness.options import Options, add_options, options_from, run
from benchmarks.harness.report import Figure, print_result, print_table, quantiles
from benchmarks.load.clip import Clip, make_clip
from benchmarks.load.commands import Window
from benchmarks.load.forward_door import ForwardDoor
from benchmarks.load.rooms import let_speak, settle
from benchmarks.load.rtp import rtp_payload
from benchmarks.load.swarm import Participant, Swarm

SPEAKERS = 3
PTIME_MS = 20
TARGETS = {25: 3.0, 100: 3.9}
TARGET_DELAY_MS = (0.5, 2.0)
_NEAR_NS = 1_000_000_000
_APART = {"WEBRTC_MEDIA_WORKERS": "2", "WEBRTC_ROOM_SHARE": str(SPEAKERS)}


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What a room showed.

    Attributes:
        cost: What it took.
        delays_ms: Of the packets that one listener got.
        sent: Packets of those who speak.
        unknown: Packets that came and that nobody had sent.
    """

    cost: Cost
    delays_ms: npt.NDArray[np.float64]
    sent: int
    unknown: int


async def measure_room(options: Options, size: int, environment: dict[str, str]) -> Forwarded:
    """Return what a room of `size` costs and how long its packets take."""
    async with options.server(environment) as server:
        door = ForwardDoor(server.base_url, SPEAKERS)
        async with Swarm(door) as swarm:
            talking = await swarm.join_all("forward", "sendrecv", SPEAKERS, speaks=True)
            listener = await swarm.join("forward", "recvonly", record=True)
            await swarm.join_all("forward", "recvonly", size - SPEAKERS - 1)
            let_speak(swarm, talking)
            await settle()
            streams = SPEAKERS * (size - SPEAKERS) + SPEAKERS * (SPEAKERS - 1)
            cost, window = await measure_window(server, swarm, options.seconds, streams)
    delays, unknown = packet_delays(window, listener, talking, make_clip(PTIME_MS))
    return Forwarded(cost, delays, len(window.sent.number), unknown)


def packet_delays(
    window: Window, listener: Participant, talking: list[Participant], clip: Clip
) -> tuple[npt.NDArray[np.float64], int]:
    """Return the delay in ms of every packet that a listener recorded, and how many are unknown.

    Args:
        window: What was sent and recorded.
        listener: Who recorded.
        talking: Who spoke, each from another place of the clip, as `rooms.let_speak` has it.
        clip: What they said.
    """
    starts = {
        speaker.number: place * len(clip.packets) // len(talking)
        for place, speaker in enumerate(talking)
    }
    known: defaultdict[bytes, list[int]] = defaultdict(list)
    sent = window.sent
    for who, number, sent_ns in zip(sent.participant, sent.number, sent.sent_ns, strict=True):
        place = (starts[int(who)] + int(number)) % len(clip.packets)
        known[clip.packets[place]].append(int(sent_ns))
    delays = []
    unknown = 0
    for packet in window.recordings.get(listener.number, []):
        before = [
            packet.stamp_ns - sent_ns
            for sent_ns in known.get(rtp_payload(packet.packet), [])
            if 0 <= packet.stamp_ns - sent_ns < _NEAR_NS
        ]
        if before:
            delays.append(min(before) / 1e6)
        else:
            unknown += 1
    return np.array(delays), unknown


async def main() -> None:
    """Measure both rooms and tell the result."""
    parser = argparse.ArgumentParser(description="rooms that forward: cost and delay")
    add_options(parser)
    parser.add_argument("--apart", action="store_true", help="speakers and listener at two workers")
    arguments = parser.parse_args()
    options = options_from(arguments, 30, 6)
    rows: list[list[Figure]] = []
    figures: dict[str, object] = {}
    for size, target in TARGETS.items():
        found = await measure_room(options, size, _APART if arguments.apart else {})
        delays = quantiles(found.delays_ms)
        rows.append(
            [
                f"room of {size}, {SPEAKERS} speak",
                found.cost.ms_per_participant_second,
                target,
                *delays.values(),
                "/".join(map(str, TARGET_DELAY_MS)),
                100 * found.cost.punctuality.bad_share,
                100 * found.cost.client_cpu,
            ]
        )
        figures[f"1x{size}"] = {
            "ms_per_participant_second": round(found.cost.ms_per_participant_second, 3),
            "delay_ms": delays,
            "packets_timed": len(found.delays_ms),
            "packets_unknown": found.unknown,
            "bad_share": round(found.cost.punctuality.bad_share, 5),
            "silent_streams": found.cost.punctuality.silent,
            "client_dropped": found.cost.client_dropped,
        }
    columns = ["scene", "ms/participant-s", "target", "p50", "p95", "p99", "target", "bad %"]
    print_table("Rooms that forward; delays in ms", [*columns, "client core %"], rows)
    print_result("forward", {"seconds": options.seconds, "apart": arguments.apart, **figures})


if __name__ == "__main__":
    run(main)
