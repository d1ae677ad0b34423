"""How long sound takes from the packet that brings it to the packet that carries it on."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.load.arrivals import unwrap
from benchmarks.load.clip import Clip
from benchmarks.load.commands import RecordedPacket, Sent
from benchmarks.load.pulses import find_pulses
from benchmarks.load.rtp import rtp_payload
from webrtc.media.opus import Decoder

# Pulses are at least 400 ms apart; beyond this a pulse would be taken for its neighbour.
MAX_DELAY_MS = 390.0
_MAX_SILENCE_SAMPLES = 48_000 * 10

Mono = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Heard:
    """A stream as its listener decodes it.

    Attributes:
        sound: (samples, 2) in media time from the first packet on; holes are concealed.
        starts: (packets,) first sample of each packet, ascending.
        stamps_ns: (packets,) when it arrived.
    """

    sound: npt.NDArray[np.float32]
    starts: npt.NDArray[np.int64]
    stamps_ns: npt.NDArray[np.int64]

    def arrival_ns(self, sample: int) -> int:
        """Return when the packet arrived that carries a sample."""
        return int(self.stamps_ns[np.searchsorted(self.starts, sample, "right") - 1])


def decode_recording(packets: list[RecordedPacket]) -> Heard:
    """Decode in media time, whatever the order of arrival; each packet counts once."""
    timestamps = np.array([int.from_bytes(p.packet[4:8], "big") for p in packets], np.int64)
    times = unwrap(timestamps, 32)
    order = np.argsort(times, kind="stable")
    decoder = Decoder()
    room = np.zeros((5760, 2), np.float32)
    parts: list[npt.NDArray[np.float32]] = []
    starts: list[int] = []
    stamps: list[int] = []
    at = int(times[order[0]])
    origin = at
    for index in order:
        gap = int(times[index]) - at
        if gap < 0:
            continue  # a duplicate
        parts += _concealed(decoder, room, min(gap, _MAX_SILENCE_SAMPLES))
        at += gap
        count = decoder.decode(rtp_payload(packets[index].packet), room)
        parts.append(room[:count].copy())
        starts.append(at - origin)
        stamps.append(packets[index].stamp_ns)
        at += count
    return Heard(np.concatenate(parts), np.array(starts), np.array(stamps))


def _concealed(
    decoder: Decoder, room: npt.NDArray[np.float32], samples: int
) -> list[npt.NDArray[np.float32]]:
    """Return what the decoder makes of missing packets; silence after the first 100 ms."""
    parts = []
    concealed = min(samples - samples % 120, 4800)
    if concealed:
        parts.append(room[: decoder.conceal(room[:concealed])].copy())
    parts.append(np.zeros((samples - concealed, 2), np.float32))
    return parts


def sent_pulses(sent: Sent, speaker: int, clip: Clip, start: int) -> npt.NDArray[np.int64]:
    """Return when the packets left in which a speaker's pulses began, ascending, Unix epoch ns.

    Args:
        sent: what was sent in a window.
        speaker: who.
        clip: what it played.
        start: from which packet of the clip on.
    """
    mine = sent.participant == speaker
    numbers, sent_ns = sent.number[mine], sent.sent_ns[mine]
    if not numbers.size:
        return np.zeros(0, np.int64)
    wanted = clip.pulse_packets(int(numbers.min()) + start, int(numbers.max()) + start + 1)
    left = np.isin(numbers, np.array(wanted, np.int64) - start) & (sent_ns > 0)
    return np.sort(sent_ns[left])


@dataclass(frozen=True, slots=True)
class PulseDelays:
    """Pulses that were heard.

    Attributes:
        sent_ns: (pulses,) when the packet left that brought each of them.
        delay_ms: (pulses,) from there to the arrival of the packet that carried it on.
    """

    sent_ns: npt.NDArray[np.int64]
    delay_ms: npt.NDArray[np.float64]


def pulse_delays(
    heard: Heard, sent_ns: npt.NDArray[np.int64], codec_delay_samples: int
) -> PulseDelays:
    """Return the delays of the pulses in a stream; those sent before the window are left out.

    A pulse at sample x of the decoded mix went into the server's encoder `codec_delay_samples`
    earlier, so the packet that holds x minus that delay is the one that carries it. What the
    encoder's look-ahead then adds is the codec's delay and not the server's.

    Args:
        heard: what a listener decoded.
        sent_ns: when the packets left that brought the pulses, ascending.
        codec_delay_samples: look-ahead of the server's encoder.
    """
    pairs = []
    for sample in find_pulses(heard.sound.mean(axis=1)):
        arrival_ns = heard.arrival_ns(max(int(sample) - codec_delay_samples, 0))
        before = int(np.searchsorted(sent_ns, arrival_ns)) - 1
        if before >= 0 and arrival_ns - sent_ns[before] <= MAX_DELAY_MS * 1e6:
            pairs.append((int(sent_ns[before]), arrival_ns))
    sent, arrived = np.array(pairs, np.int64).reshape(-1, 2).T
    return PulseDelays(sent, (arrived - sent) / 1e6)
