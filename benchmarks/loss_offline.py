"""Speech quality behind the playout, by loss and jitter: PESQ-WB and the delay it costs.

    python -m benchmarks.loss_offline [--speech FILE.wav] [--seeds N] [--quick]

Virtual time, no sockets: speech is coded as a browser would, packets are lost and delayed by a
seeded network, the playout is pulled every 10 ms, and what it plays is compared with the speech.
Added latency is the time from a packet's arrival to the pull that plays it.

The speech is Debian's alsa-utils recordings of a voice (48 kHz) unless a file is given.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io.wavfile
import scipy.signal
from numpy.typing import NDArray

from benchmarks.harness.speech_quality import pesq_wb
from mixer.netsim import NetworkSimulator
from mixer.netsim_settings import NetworkConditions
from mixer.playout import Playout
from mixer.playout_packet import MediaPacket
from mixer.playout_stats import PlayoutStats
from mixer.red import unpack_red
from webrtc.media.opus import Application, Decoder, Encoder, EncoderSettings, Signal
from webrtc.media.opus_library import library

RATE_HZ = 48_000
BLOCK = 480
OPUS = 111  # payload type inside RED
_UNHARMED = 11  # packets in the beginning
SPEECH_FOLDERS = (Path("/usr/share/sounds/alsa"),)
Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Publisher:
    """How one kind of browser codes its microphone."""

    name: str
    settings: EncoderSettings
    channels: int
    packet_ms: int
    red: bool = False
    """Each packet brings a copy of the one before it (RFC 2198)."""


@dataclass(frozen=True, slots=True)
class Network:
    """What happens to packets on their way."""

    name: str
    conditions: NetworkConditions


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run's figures."""

    pesq_wb: float
    wait_ms: float
    stats: PlayoutStats


def _voice(bitrate_bps: int) -> EncoderSettings:
    return EncoderSettings(
        application=Application.VOIP,
        bitrate_bps=bitrate_bps,
        complexity=9,
        inband_fec=True,
        packet_loss_percent=10,
        signal=Signal.VOICE,
    )


PUBLISHERS = (
    Publisher("voip 32k mono 20 ms fec", _voice(32_000), 1, 20),
    Publisher("voip 32k mono 10 ms fec", _voice(32_000), 1, 10),
    Publisher("voip 48k mono 20 ms fec", _voice(48_000), 1, 20),
    Publisher("voip 64k stereo 20 ms fec", _voice(64_000), 2, 20),
    Publisher("voip 64k stereo 10 ms fec", _voice(64_000), 2, 10),
    Publisher("celt 96k stereo 20 ms", EncoderSettings(complexity=9), 2, 20),
    Publisher("celt 96k stereo 10 ms", EncoderSettings(complexity=9), 2, 10),
    Publisher("celt 96k stereo 20 ms red", EncoderSettings(complexity=9), 2, 20, red=True),
    Publisher("celt 96k stereo 10 ms red", EncoderSettings(complexity=9), 2, 10, red=True),
)
NETWORKS = (
    Network("clean", NetworkConditions(scatter_ms=0.5)),
    Network("loss 5 %", NetworkConditions(scatter_ms=0.5, loss_percent=5)),
    Network("loss 10 %", NetworkConditions(scatter_ms=0.5, loss_percent=10)),
    Network("jitter ±30 ms", NetworkConditions(scatter_ms=60.5)),
)


def read_speech(path: Path | None) -> Samples:
    """Return mono speech at 48 kHz, full scale ±1, with short pauses between files."""
    if path is not None:
        files = [path]
    else:
        files = sorted(
            file
            for folder in SPEECH_FOLDERS
            for file in folder.glob("*.wav")
            if file.stem != "Noise"
        )
    if not files:
        sys.exit("no speech: install Debian's alsa-utils or give --speech FILE.wav")
    pause = np.zeros(RATE_HZ // 4, np.float32)
    parts = [pause]
    for file in files:
        rate_hz, pcm = scipy.io.wavfile.read(file)
        mono = pcm.astype(np.float32) / 32768
        if mono.ndim == 2:
            mono = mono.mean(axis=1)
        if rate_hz != RATE_HZ:
            mono = scipy.signal.resample_poly(mono, RATE_HZ, rate_hz).astype(np.float32)
        parts += [mono, pause]
    return np.concatenate(parts)


def encode(speech: Samples, publisher: Publisher) -> list[bytes]:
    """Return the packets of `speech`."""
    encoder = Encoder(publisher.settings, publisher.channels)
    size = publisher.packet_ms * RATE_HZ // 1000
    pcm = np.repeat(speech[:, None], publisher.channels, axis=1)
    return [
        encoder.encode(np.ascontiguousarray(pcm[start : start + size]))
        for start in range(0, len(pcm) - size + 1, size)
    ]


def red_of(packets: list[bytes], samples: int) -> Iterator[bytes]:
    """Yield RED payloads, each with a copy of the packet before (RFC 2198, section 3)."""
    yield bytes([OPUS]) + packets[0]
    for before, packet in pairwise(packets):
        header = (samples << 10 | len(before)).to_bytes(3, "big")
        yield bytes([0x80 | OPUS]) + header + bytes([OPUS]) + before + packet


def arrivals(
    packets: list[bytes], packet_ms: int, network: Network, seed: int, red: bool
) -> list[MediaPacket]:
    """Return the packets that arrive, in the order and with the stamps of their arrival."""
    path: NetworkSimulator[MediaPacket] = NetworkSimulator(
        replace(network.conditions, loss_percent=0), seed
    )
    size = packet_ms * RATE_HZ // 1000
    arriving = []
    for index, payload in enumerate(red_of(packets, size) if red else packets):
        if index == _UNHARMED:
            path.conditions = network.conditions
        sent_s = 1.0 + (index + 1) * packet_ms / 1000
        path.send(MediaPacket(index & 0xFFFF, index * size, payload, sent_s), len(payload), sent_s)
        arriving += path.poll(math.inf)
    return [packet._replace(arrival_s=time_s) for time_s, packet in sorted(arriving)]


def play(
    arriving: list[MediaPacket], phase_s: float, red: bool
) -> Iterator[tuple[Samples, Playout]]:
    """Yield each block that the playout gives, pulled every 10 ms from `phase_s` on."""
    playout = Playout(Decoder())
    waiting = iter(arriving)
    packet = next(waiting, None)
    now_s = 1.0 + phase_s
    end_s = arriving[-1].arrival_s + 0.05
    while now_s < end_s:
        while packet is not None and packet.arrival_s <= now_s:
            for inner in unpack_red(packet) if red else [packet]:
                playout.push(inner)
            packet = next(waiting, None)
        block = np.zeros((BLOCK, 2), np.float32)
        playout.pull(block, now_s)
        yield block, playout
        now_s += BLOCK / RATE_HZ


def measure(
    speech: Samples, packets: list[bytes], publisher: Publisher, network: Network, seed: int
) -> Outcome:
    """Run one publisher over one network."""
    arriving = arrivals(packets, publisher.packet_ms, network, seed, publisher.red)
    blocks, waits_s = [], []
    phase_s = seed * 0.0037 % 0.010
    for block, playout in play(arriving, phase_s, publisher.red):
        blocks.append(block)
        waits_s.append(playout.mean_wait_s)
    played = np.concatenate(blocks)[:, 0]
    score = pesq_wb(_wideband(speech), _wideband(played))
    return Outcome(float(score), float(np.mean(waits_s)) * 1000, playout.stats())


def _wideband(pcm: Samples) -> NDArray[np.int16]:
    at_16_khz = np.asarray(scipy.signal.resample_poly(pcm, 1, 3), np.float64)
    return np.clip(at_16_khz * 32767, -32768, 32767).astype(np.int16)


def main() -> None:
    """Print a table and, last, one JSON line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--speech", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one publisher of each coder only")
    parser.add_argument("--only", help="publishers whose name contains this")
    arguments = parser.parse_args()
    speech = read_speech(arguments.speech)
    publishers = [PUBLISHERS[0], PUBLISHERS[4]] if arguments.quick else list(PUBLISHERS)
    if arguments.only:
        publishers = [p for p in publishers if arguments.only in p.name]
    print(f"{library().version}, {len(speech) / RATE_HZ:.1f} s of speech, {arguments.seeds} seeds")
    print(
        f"{'publisher':28}{'network':16}{'PESQ-WB':>8}{'wait ms':>9}{'lost':>6}{'late':>6}"
        f"{'fec ms':>8}{'plc ms':>8}{'squeezed':>9}{'stretched':>10}"
    )
    figures: list[dict[str, Any]] = []
    begun_s = time.perf_counter()
    for publisher in publishers:
        packets = encode(speech, publisher)
        for network in NETWORKS:
            runs = [
                measure(speech, packets, publisher, network, seed)
                for seed in range(1, arguments.seeds + 1)
            ]
            figure = _summary(publisher, network, runs)
            figures.append(figure)
            print(
                f"{publisher.name:28}{network.name:16}{figure['pesq_wb']:8.2f}"
                f"{figure['wait_ms']:9.1f}{figure['lost']:6.0f}{figure['late']:6.0f}"
                f"{figure['fec_ms']:8.0f}{figure['concealed_ms']:8.0f}"
                f"{figure['compressed_ms']:9.0f}{figure['expanded_ms']:10.0f}",
                flush=True,
            )
    print(
        json.dumps(
            {
                "benchmark": "loss_offline",
                "libopus": library().version,
                "seconds": round(time.perf_counter() - begun_s, 1),
                "runs": figures,
            }
        )
    )


def _summary(publisher: Publisher, network: Network, runs: list[Outcome]) -> dict[str, Any]:
    def mean(values: Iterator[float]) -> float:
        return round(float(np.mean(list(values))), 2)

    return {
        "publisher": publisher.name,
        "network": network.name,
        "pesq_wb": mean(run.pesq_wb for run in runs),
        "wait_ms": mean(run.wait_ms for run in runs),
        "lost": mean(float(run.stats.lost) for run in runs),
        "late": mean(float(run.stats.late) for run in runs),
        "fec_ms": mean(run.stats.fec_samples / 48 for run in runs),
        "concealed_ms": mean(run.stats.concealed_samples / 48 for run in runs),
        "compressed_ms": mean(run.stats.compressed_samples / 48 for run in runs),
        "expanded_ms": mean(run.stats.expanded_samples / 48 for run in runs),
    }


if __name__ == "__main__":
    main()
