"""Latency from a packet that brings a sound to the packet that carries it on.

Ten rooms of two, everybody speaks and hears the other, clean network, once with 10 ms packets both
ways and once with 20 ms. Speakers' packets are spread evenly over the packet time, because where a
packet falls between two ticks of the server decides how long it waits. A chirp at irregular times
is found again in each listener's decoded mix; its delay is the kernel's arrival time of the packet
that carries it minus the time right before the packet that brought it was handed to the kernel.
The look-ahead of both encoders is left out: the sender's by looking for the chirp in what the
sender's packets decode to, the server's by going back 2.5 ms (OPUS_APPLICATION_RESTRICTED_LOWDELAY)
in the decoded mix before asking which packet carried it.

With `--apart` the two of each room are connected with different media workers, so that all sound
goes over the bus between these.
"""

import argparse
import asyncio
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.harness.options import Options, add_options, options_from, run
from benchmarks.harness.report import print_result, print_table, quantiles
from benchmarks.harness.server import Server
from benchmarks.load.arrivals import punctuality
from benchmarks.load.clip import make_clip
from benchmarks.load.commands import Window
from benchmarks.load.delay import (
    MAX_DELAY_MS,
    decode_recording,
    pulse_delays,
    sent_pulses,
)
from benchmarks.load.doors import Door, SocketIoDoor
from benchmarks.load.sdp import Direction
from benchmarks.load.sources import ClipPlan
from benchmarks.load.swarm import Participant, Swarm, SwarmSettings

ROOMS = 10
SERVER_LOOKAHEAD_SAMPLES = 120  # 2.5 ms
_SETTLE_S = 4.0  # start-up backlogs and jitter buffers
_APART = {"WEBRTC_MEDIA_WORKERS": "2", "WEBRTC_ROOM_SHARE": "1"}
_TARGETS_MS = {10: (8, 13, 15), 20: (15, 21, 23)}


@dataclass(frozen=True, slots=True)
class Delays:
    """Delays of all pulses that were heard.

    Attributes:
        delays_ms: one per pulse.
        sent: how many pulses were sent early enough to be heard.
        heard: how many of them were.
        bad_share: share of all packets that were lost or more than 20 ms late.
        client_cpu: share of a core that the load client used.
    """

    delays_ms: npt.NDArray[np.float64]
    sent: int
    heard: int
    bad_share: float
    client_cpu: float


@dataclass(frozen=True, slots=True)
class Talk:
    """A participant who speaks, and where in the clip it began."""

    participant: Participant
    start: int


async def measure(
    door: Door,
    ptime_ms: int,
    seconds: float,
    *,
    rooms: int = ROOMS,
    speakers_per_room: int = 2,
    lookahead_samples: int = SERVER_LOOKAHEAD_SAMPLES,
    settings: SwarmSettings | None = None,
) -> Delays:
    """Return the delays in so many rooms of two."""
    async with Swarm(door, settings) as swarm:
        talks = [
            await _open_room(swarm, f"latency-{room}", speakers_per_room) for room in range(rooms)
        ]
        _speak(swarm, talks, ptime_ms)
        await asyncio.sleep(_SETTLE_S)
        window = await swarm.measure(seconds)
    return _judge(window, talks, ptime_ms, lookahead_samples)


async def _open_room(swarm: Swarm, room: str, speakers: int) -> list[Talk]:
    members = []
    for seat in range(2):
        direction: Direction = "sendrecv" if seat < speakers else "recvonly"
        participant = await swarm.join(room, direction, speaks=seat < speakers, record=True)
        # 3.7 s apart, so that the two in a room do not send their pulses at the same time.
        members.append(Talk(participant, seat * 370))
    return members


def _speak(swarm: Swarm, talks: list[list[Talk]], ptime_ms: int) -> None:
    clip = make_clip(ptime_ms)
    speaking = [talk for room in talks for talk in room if talk.participant.speaks]
    order = np.random.default_rng(4).permutation(len(speaking))
    for place, talk in zip(order, speaking, strict=True):
        offset_s = ptime_ms / 1000 * float(place) / len(speaking)
        swarm.speak(talk.participant, ClipPlan(clip, talk.start), offset_s=offset_s)


def _judge(
    window: Window, talks: list[list[Talk]], ptime_ms: int, lookahead_samples: int
) -> Delays:
    clip = make_clip(ptime_ms)
    delays = [np.zeros(0)]
    sent = heard_of = 0
    # What was sent at the very end may be heard after it, and is then not missing.
    latest_ns = int(window.arrivals.stamp_ns.max(initial=0)) - int(MAX_DELAY_MS * 1e6)
    for room in talks:
        for listener, speaker in (room, room[::-1]):
            packets = window.recordings.get(listener.participant.number)
            if not speaker.participant.speaks:
                continue
            pulses = sent_pulses(window.sent, speaker.participant.number, clip, speaker.start)
            sent += int(np.count_nonzero(pulses <= latest_ns))
            if packets:
                found = pulse_delays(decode_recording(packets), pulses, lookahead_samples)
                heard_of += int(np.count_nonzero(found.sent_ns <= latest_ns))
                delays.append(found.delay_ms)
    return Delays(
        np.concatenate(delays),
        sent,
        heard_of,
        punctuality(window.arrivals, sum(len(room) for room in talks)).bad_share,
        window.cpu_s / window.duration_s,
    )


async def _measure_server(
    options: Options, ptime_ms: int, environment: dict[str, str]
) -> tuple[Delays, int, Server]:
    async with options.server({"WEBRTC_PTIME_MS": str(ptime_ms), **environment}) as server:
        realtime = server.usage().realtime
        return (
            await measure(SocketIoDoor(server.base_url), ptime_ms, options.seconds),
            realtime,
            server,
        )


async def main() -> None:
    """Measure both packet times and tell the result."""
    parser = argparse.ArgumentParser(description="latency from packet in to packet out")
    add_options(parser)
    parser.add_argument("--apart", action="store_true", help="the two of a room on two workers")
    arguments = parser.parse_args()
    options = options_from(arguments, 30, 8)
    environment = _APART if arguments.apart else {}
    rows: list[list[float | int | str | bool | None]] = []
    figures: dict[str, object] = {}
    for ptime_ms, targets in _TARGETS_MS.items():
        delays, realtime, _ = await _measure_server(options, ptime_ms, environment)
        found = quantiles(delays.delays_ms)
        rows.append(
            [
                f"{ptime_ms} ms",
                *found.values(),
                "/".join(map(str, targets)),
                delays.heard,
                delays.sent,
                100 * delays.bad_share,
                realtime > 0,
            ]
        )
        figures[f"ptime_{ptime_ms}_ms"] = {
            **found,
            "pulses_heard": delays.heard,
            "pulses_sent": delays.sent,
            "bad_share": round(delays.bad_share, 5),
            "realtime": realtime > 0,
            "client_cpu": round(delays.client_cpu, 3),
        }
    print_table(
        f"Latency, {ROOMS} rooms of 2{', each on two workers' if arguments.apart else ''}, ms",
        ["packets", "p50", "p95", "p99", "target", "heard", "sent", "bad %", "real-time"],
        rows,
    )
    print_result("latency", figures)


if __name__ == "__main__":
    run(main)
