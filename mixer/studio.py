"""The engine without a conference: sounds from anywhere, mixed block by block in virtual time.

The same room, strips, playout and limiter as in the server, for files, scripts and tests. A sound
may come through a simulated network; then it takes a publisher's whole way, in packets of 20 ms
through the jitter buffer. Time is the number of blocks; nothing here reads a clock.
"""

from typing import Final, Protocol

import numpy as np

from dsp.strip import LATENCY_SAMPLES, StripBank, StripSettings
from mixer.arena import BLOCK_20MS, SAMPLE_RATE_HZ, Arena, SourceArena
from mixer.levels import SILENCE_DBOV, level_dbov
from mixer.listener import PersonalGain
from mixer.netsim import LineNoise, NetworkSimulator
from mixer.netsim_settings import NetworkConditions
from mixer.pcm_frames import PcmDecoder, pcm_payload
from mixer.playout import Playout
from mixer.playout_packet import Block, MediaPacket, Pull
from mixer.playout_settings import PlayoutSettings
from mixer.playout_stats import PlayoutStats
from mixer.room import RoomMixer

BLOCK: Final = BLOCK_20MS
BLOCK_S: Final = BLOCK / SAMPLE_RATE_HZ

PACKET_BYTES: Final = 200
"""What a packet counts against a simulated bandwidth: 20 ms of Opus at 64 kbit/s, and headers."""

_PROGRAM: Final = "\0program"  # no participant can have this name: it is no text
_MAX_PAYLOAD_BYTES: Final = BLOCK * 8


class Feed(Protocol):
    """Where a sound comes from."""

    def read(self, count: int) -> Block:
        """Return the next samples at 48 kHz, float32 (n, 2) or (n, 1), 0 <= n <= `count`.

        Fewer than `count` when there are no more just now; the rest of the block is silent.
        """


class FeedPlayout:
    """Plays a feed as it is."""

    is_buffering = False
    packet_samples = BLOCK

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def pull(self, out: Block, now_s: float) -> Pull:
        """Write the next block; see `PlayoutLike`."""
        sound = self._feed.read(len(out))
        if not len(sound):
            return Pull.SILENT
        if sound.shape[1] == 1:  # numpy takes three times as long to spread it by itself
            out[: len(sound), 0] = sound[:, 0]
            out[: len(sound), 1] = sound[:, 0]
        else:
            out[: len(sound)] = sound
        if len(sound) < len(out):
            out[len(sound) :] = 0.0
        return Pull.SOUND

    def safe_time_s(self) -> float | None:
        """Return None: it is always there."""
        return None


class NetworkPlayout:
    """Sends a feed through a simulated network and plays what arrives.

    Attributes:
        network: The path.
    """

    packet_samples = BLOCK

    def __init__(self, feed: Feed, conditions: NetworkConditions, seed: int) -> None:
        self.network: NetworkSimulator[MediaPacket] = NetworkSimulator(conditions, seed)
        self._feed = feed
        self._noise = LineNoise(seed)
        self._playout = Playout(PcmDecoder(), PlayoutSettings(max_payload_bytes=_MAX_PAYLOAD_BYTES))
        self._sequence = 0
        self._timestamp = 0

    @property
    def stats(self) -> PlayoutStats:
        """What the jitter buffer counted."""
        return self._playout.stats()

    @property
    def is_buffering(self) -> bool:
        """Whether anything is on its way or waits."""
        return self._playout.is_buffering or self.network.poll_timeout() is not None

    def pull(self, out: Block, now_s: float) -> Pull:
        """Let one packet leave, take those that arrived, and write the next block."""
        self._send(len(out), now_s)
        for time_s, packet in self.network.poll(now_s):
            self._playout.push(packet._replace(arrival_s=time_s))
        outcome = self._playout.pull(out, now_s)
        if outcome is not Pull.SILENT:
            self._noise.add(out, self.network.conditions.noise_percent)
        return outcome

    def safe_time_s(self) -> float | None:
        """Return None: blocks come when they come."""
        return None

    def _send(self, count: int, now_s: float) -> None:
        sound = self._feed.read(count)
        if len(sound):
            block = np.zeros((count, 2), np.float32)
            block[: len(sound)] = sound
            packet = MediaPacket(self._sequence, self._timestamp, pcm_payload(block), now_s)
            self.network.send(packet, PACKET_BYTES, now_s)
            self._sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp = (self._timestamp + count) & 0xFFFFFFFF


class Studio:
    """A room of sounds with one programme mix and, where asked for, mixes without one of them.

    Attributes:
        blocks: How many have been mixed.
        added: How many sounds were added so far.
    """

    latency_samples: Final = LATENCY_SAMPLES
    """How much later than others a sound with a strip comes that is not flat."""

    def __init__(self) -> None:
        """Make an empty studio."""
        self.blocks = 0
        self.added = 0
        self._room = RoomMixer("studio", SourceArena(), Arena(), 20, StripBank(), everybody=True)
        self._room.add_listener(_PROGRAM, 0, 0)
        self._gains: dict[str, PersonalGain] = {}
        self._next_number = 1

    # ---- who sounds ------------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        """All that were added and not removed, in that order."""
        return list(self._gains)

    def add(
        self,
        name: str,
        feed: Feed,
        gain: PersonalGain | None = None,
        strip: StripSettings | None = None,
        network: NetworkConditions | None = None,
        seed: int = 0,
    ) -> None:
        """Add a sound; it is heard from the next block on.

        Args:
            name: Anything but a name that is there already.
            feed: Where it comes from.
            gain: Its gain and pan in all mixes.
            strip: Its strip.
            network: The network it comes through, and the jitter buffer behind it; None for
                neither.
            seed: Of the network.

        Raises:
            ValueError: The name is taken.
        """
        if name in self._gains:
            raise ValueError(f"there is a {name!r} already")
        self.added += 1
        playout = FeedPlayout(feed) if network is None else NetworkPlayout(feed, network, seed)
        self._room.add_source(name, self._next_number, playout)
        self._next_number += 1
        if strip is not None:
            self._room.set_strip(name, strip)
        self.set_gain(name, gain or PersonalGain())

    def remove(self, name: str) -> None:
        """Fade a sound out over the next block; unknown names are ignored."""
        if self._gains.pop(name, None) is not None:
            self._room.remove_source(name)
            self._room.remove_listener(name)

    def set_gain(self, name: str, gain: PersonalGain) -> None:
        """Change a sound's gain and pan, within one block and without a click."""
        self._gains[name] = gain
        for listener in self._room.listeners:
            self._room.set_gains(listener, self._gains)

    def set_strip(self, name: str, strip: StripSettings) -> None:
        """Change a sound's strip, without a click."""
        self._room.set_strip(name, strip)

    def network(self, name: str) -> NetworkPlayout | None:
        """Return the network that a sound comes through; its conditions may be changed."""
        playout = self._room.sources[name].playout
        return playout if isinstance(playout, NetworkPlayout) else None

    def monitor(self, name: str) -> None:
        """Make a mix for `minus`: all but this one."""
        self._room.add_listener(name, self._next_number, 0)
        self._next_number += 1
        self._room.set_gains(name, self._gains)

    # ---- one block -------------------------------------------------------------------------

    def mix(self) -> Block:
        """Mix the next 20 ms and return the programme, float32 (960, 2), good until the next."""
        self._room.advance(self.blocks * BLOCK_S)
        self.blocks += 1
        return self._heard_by(_PROGRAM)

    def minus(self, name: str) -> Block:
        """Return what was mixed just now without one sound; it must be monitored."""
        return self._heard_by(name)

    def level_dbov(self, name: str) -> int:
        """Return a sound's level in the last block, 0 (full scale) to 127 (silence)."""
        source = self._room.sources[name]
        if not source.present or source.muted:
            return SILENCE_DBOV
        return level_dbov(float(np.mean(np.square(source.view, dtype=np.float64))))

    @property
    def is_sounding(self) -> bool:
        """Whether anything sounded in the last block, or is still on its way through a network."""
        return any(
            source.present or source.playout.is_buffering for source in self._room.sources.values()
        )

    def _heard_by(self, listener: str) -> Block:
        output = self._room.listeners[listener].output
        assert output is not None, "the room gives everybody an output before it mixes"
        return self._room.sound(output)
