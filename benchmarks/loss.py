"""Speech quality over the real server when a publisher's packets are lost or delayed.

A publisher speaks as Chromium would after the server's answer (channels, bitrate, packet time,
in-band FEC, RED where the answer prefers it), a listener records. Between publisher and server
packets are lost independently, or delayed by 30 ± 30 ms each, seeded. The recording is compared
with the speech by PESQ-WB (ITU-T P.862.2), averaged over several seeds at once, each in a room of
its own.

Added latency is the time from a sound's packet being ready at the publisher to the arrival of the
packet that carries it on, minus the network's mean delay and both encoders' look-ahead.

The speech is that of Debian's alsa-utils unless a file is given. It is played twice; the first time
lets the publisher learn of the loss from receiver reports, only the second counts.
"""

import argparse
import asyncio
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly

from benchmarks.harness.options import Options, add_options, options_from, run
from benchmarks.harness.packages import MissingPackageError, ensure
from benchmarks.harness.report import Figure, print_result, print_table
from benchmarks.harness.speech_quality import pesq_wb
from benchmarks.latency import SERVER_LOOKAHEAD_SAMPLES
from benchmarks.load.commands import Window
from benchmarks.load.delay import Heard, decode_recording
from benchmarks.load.doors import SocketIoDoor
from benchmarks.load.likeness import Match, find, follow
from benchmarks.load.sdp import RemotePeer
from benchmarks.load.sources import SAMPLE_RATE_HZ, LivePlan
from benchmarks.load.swarm import Participant, Swarm
from benchmarks.loss_offline import SPEECH_FOLDERS, read_speech
from mixer.netsim_settings import CLEAN, NetworkConditions

PUBLISHER_LOOKAHEAD_SAMPLES = 312  # 6.5 ms, OPUS_APPLICATION_VOIP and _AUDIO
_STRETCH_SAMPLES = SAMPLE_RATE_HZ // 2
_SEARCH_SAMPLES = SAMPLE_RATE_HZ // 4
_LEAD_S = 1.5  # from joining to the first sound, and from the last sound to the end
_CHROMIUM_BITRATE_PER_CHANNEL_BPS = 32_000


@dataclass(frozen=True, slots=True)
class Network:
    """A way to the server, and the PESQ-WB that we want to keep on it.

    All that delays its packets is scatter, which takes half as long on average.
    """

    name: str
    conditions: NetworkConditions
    target: float


NETWORKS = (
    Network("no loss", CLEAN, 4.2),
    Network("5 % loss", NetworkConditions(loss_percent=5), 3.6),
    Network("10 % loss", NetworkConditions(loss_percent=10), 3.3),
    Network("±30 ms jitter", NetworkConditions(scatter_ms=60), 3.5),
)
MAX_ADDED_LATENCY_MS = 60.0


@dataclass(frozen=True, slots=True)
class Talk:
    """A room in which one speaks, over a network of that seed, and one records."""

    speaker: Participant
    listener: Participant
    seed: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one listener heard.

    Attributes:
        pesq_wb: of the second time the speech was played.
        latency_ms: added latency of each half second of speech.
        lost_share: share of the publisher's packets that the network really lost.
    """

    pesq_wb: float
    latency_ms: npt.NDArray[np.float64]
    lost_share: float


def chromium_plan(remote: RemotePeer, speech: npt.NDArray[np.float32]) -> LivePlan:
    """Return the encoder that Chromium would use after this answer."""
    stereo = remote.fmtp.get("stereo") == "1"
    default_bps = _CHROMIUM_BITRATE_PER_CHANNEL_BPS * (2 if stereo else 1)
    return LivePlan(
        pcm=speech[:, None],
        ptime_ms=remote.ptime_ms or 20,
        bitrate_bps=int(remote.fmtp.get("maxaveragebitrate", default_bps)),
        stereo=stereo,
        dtx=remote.fmtp.get("usedtx") == "1",
    )


async def measure(
    options: Options, network: Network, speech: npt.NDArray[np.float32], seeds: int
) -> list[Verdict]:
    """Return one verdict per seed; all speak at the same time, each in a room of their own."""
    twice = np.concatenate([speech, speech])
    async with options.server() as server, Swarm(SocketIoDoor(server.base_url)) as swarm:
        talks = []
        for seed in range(seeds):
            room = f"loss-{seed}"
            speaker = await swarm.join(room, "sendrecv", speaks=True)
            listener = await swarm.join(room, "recvonly", record=True)
            talks.append(Talk(speaker, listener, seed + 1))
        measuring = asyncio.create_task(
            swarm.measure(twice.size / SAMPLE_RATE_HZ + 2 * _LEAD_S), name="measurement"
        )
        for place, talk in enumerate(talks):
            plan = chromium_plan(talk.speaker.remote, twice)
            swarm.speak(
                talk.speaker,
                plan,
                offset_s=0.003 * place,
                network=network.conditions,
                seed=talk.seed,
            )
        window = await measuring
    return [judge(window, talk, network, speech) for talk in talks]


def judge(window: Window, talk: Talk, network: Network, speech: npt.NDArray[np.float32]) -> Verdict:
    """Compare what a listener recorded with what was said the second time."""
    heard = decode_recording(window.recordings[talk.listener.number])
    sound = heard.sound.mean(axis=1)
    half = sound.size // 2
    at, _ = find(speech, sound[half - speech.size // 4 :])
    begin = half - speech.size // 4 + at
    matches = follow(speech, sound, begin, _STRETCH_SAMPLES, _SEARCH_SAMPLES)
    mine = window.sent.participant == talk.speaker.number
    packet_ms = talk.speaker.remote.ptime_ms or 20
    # The schedule is exact, and some packets of silence were never sent.
    first_ready_ns = int(
        np.median(window.sent.ready_ns[mine] - window.sent.number[mine] * packet_ms * 1_000_000)
    )
    latency_ms = [
        _delay_ms(match, heard, first_ready_ns, speech.size, packet_ms)
        - network.conditions.scatter_ms / 2
        for match in matches
    ]
    degraded = sound[begin : begin + speech.size]
    return Verdict(
        pesq_wb(_narrow(speech), _narrow(degraded)),
        np.array(latency_ms),
        float(np.mean(window.sent.sent_ns[mine] == 0)),
    )


def _delay_ms(
    match: Match,
    heard: Heard,
    first_ready_ns: int,
    speech_samples: int,
    packet_ms: int,
) -> float:
    """Return the way of one stretch from packet to packet, averaged over all its sound."""
    inside = np.arange(0, _STRETCH_SAMPLES, SAMPLE_RATE_HZ // 1000)
    codec = PUBLISHER_LOOKAHEAD_SAMPLES + SERVER_LOOKAHEAD_SAMPLES
    sent = (speech_samples + match.sent_at + inside) // (packet_ms * SAMPLE_RATE_HZ // 1000)
    arrived = np.searchsorted(heard.starts, match.heard_at - codec + inside, "right") - 1
    ready_ns = first_ready_ns + sent * packet_ms * 1_000_000
    ways_ns = heard.stamps_ns[np.maximum(arrived, 0)] - ready_ns
    return float(ways_ns.mean()) / 1e6


def _narrow(sound: npt.NDArray[np.float32]) -> npt.NDArray[np.int16]:
    """Return 16 kHz, 16 bit."""
    narrow = np.clip(resample_poly(sound, 1, 3) * 32767, -32768, 32767)
    return np.asarray(narrow, np.int16)


def speech_of(path: Path | None) -> npt.NDArray[np.float32]:
    """Return a file's speech, or alsa-utils', mono at 48 kHz; end the benchmark without it."""
    if path is None:
        try:
            ensure("alsa-utils", lambda: any(folder.is_dir() for folder in SPEECH_FOLDERS))
        except MissingPackageError as error:
            raise SystemExit(f"no speech: {error}; or give --speech FILE.wav") from None
    return read_speech(path)


async def main() -> None:
    """Measure every network and tell the result."""
    parser = argparse.ArgumentParser(description="speech quality under loss and jitter")
    add_options(parser)
    parser.add_argument("--speech", type=Path, help="a WAV file instead of alsa-utils' speech")
    parser.add_argument("--seeds", type=int, default=4, help="independent networks of each kind")
    arguments = parser.parse_args()
    options = options_from(arguments, 12, 6)
    speech = speech_of(arguments.speech)[: int(options.seconds * SAMPLE_RATE_HZ)]
    seeds = 1 if options.quick else arguments.seeds
    rows: list[list[Figure]] = []
    figures: dict[str, object] = {}
    for network in NETWORKS:
        verdicts = await measure(options, network, speech, seeds)
        scores = np.array([verdict.pesq_wb for verdict in verdicts])
        latency_ms = np.concatenate([verdict.latency_ms for verdict in verdicts])
        lost_share = float(np.mean([verdict.lost_share for verdict in verdicts]))
        median_ms = float(np.median(latency_ms)) if latency_ms.size else None
        worst_ms = float(latency_ms.max()) if latency_ms.size else None
        rows.append(
            [
                network.name,
                float(scores.mean()),
                float(scores.min()),
                network.target,
                median_ms,
                worst_ms,
                100 * lost_share,
            ]
        )
        figures[network.name] = {
            "pesq_wb": round(float(scores.mean()), 3),
            "pesq_wb_worst": round(float(scores.min()), 3),
            "latency_median_ms": median_ms,
            "latency_max_ms": worst_ms,
            "lost_share": round(lost_share, 4),
        }
    columns = ["network", "PESQ-WB", "worst", "target", "latency ms", "max ms", "lost %"]
    print_table(f"One publisher, {seeds} seeds", columns, rows)
    print(f"added latency has to stay below {MAX_ADDED_LATENCY_MS:.0f} ms")
    print_result("loss", {"seeds": seeds, "speech_s": options.seconds, **figures})


if __name__ == "__main__":
    run(main)
