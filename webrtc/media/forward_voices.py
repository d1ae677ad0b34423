"""Sources of a forward room that come as sound and not as packets: each is encoded once.

They are in the room's mixer, whoever put them there, and are no less heard for it: on tracks, too.
Their strips act, for the mixer has treated them. A source that rests is not encoded.
"""

from collections.abc import Collection
from typing import Protocol

import numpy as np

from mixer.arena import BLOCK_10MS, BLOCK_20MS
from mixer.forward import ForwardRoom
from mixer.levels import level_dbov
from mixer.playout_packet import MediaPacket
from mixer.room import RoomMixer
from mixer.source import Source
from webrtc.media.encoding import tier_settings
from webrtc.media.opus import Encoder

_COMPLEXITY = 5


class TakesPackets(Protocol):
    """Who forwards."""

    core: ForwardRoom

    def take(self, name: str, packet: MediaPacket) -> bool:
        """Forward a packet of a source."""


class _Voice:
    """One source on its way into packets of 20 ms."""

    __slots__ = ("_block", "_encoder", "_sequence", "_sounds")

    def __init__(self) -> None:
        self._encoder = Encoder(tier_settings(_COMPLEXITY)[0])
        self._block = np.zeros((BLOCK_20MS, 2), np.float32)
        self._sounds = False
        self._sequence = 0

    def add(self, source: Source, mixer: RoomMixer, now_s: float) -> MediaPacket | None:
        """Take a block; return a packet if one is complete with it and holds sound."""
        first = 0 if mixer.is_even else BLOCK_10MS
        part = self._block[first : first + mixer.block]
        if source.present:
            part[:] = source.view[: mixer.block]
        else:
            part[:] = 0.0
        self._sounds = source.present or (first > 0 and self._sounds)
        if first + mixer.block < BLOCK_20MS or not self._sounds:
            return None
        flat = self._block.reshape(-1)
        self._sequence += 1
        return MediaPacket(
            sequence=self._sequence & 0xFFFF,
            timestamp=mixer.block_time - first & 0xFFFFFFFF,
            payload=self._encoder.encode(self._block),
            arrival_s=now_s,
            level_dbov=level_dbov(float(np.dot(flat, flat)) / len(flat)),
        )


class ForwardVoices:
    """Encodes such sources of one room."""

    def __init__(self, forwards: TakesPackets) -> None:
        """Hand their packets to `forwards`."""
        self._forwards = forwards
        self._voices: dict[str, _Voice] = {}

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._voices)

    def say(self, mixer: RoomMixer, with_packets: Collection[str], now_s: float) -> None:
        """Forward the block that was mixed just now.

        Args:
            mixer: The room's.
            with_packets: The sources whose packets are forwarded as they come.
            now_s: The present.
        """
        core, here = self._forwards.core, set[str]()
        for name, source in mixer.sources.items():
            if name in with_packets or source.leaving or source.remote:
                continue
            here.add(name)
            voice = self._voices.get(name)
            if voice is None:
                voice = self._voices[name] = _Voice()
                core.remove_source(name, now_s)  # it may have been another worker's
                core.add_source(name, source.csrc, now_s, source.standing)
            core.set_standing(name, source.standing)
            core.mute_source(name, source.muted, now_s)
            packet = voice.add(source, mixer, now_s)
            if packet is not None:
                self._forwards.take(name, packet)
        for name in self._voices.keys() - here:
            del self._voices[name]
            known = core.sources.get(name)
            if name not in with_packets and known is not None and not known.remote:
                core.remove_source(name, now_s)
