"""Sound on its way between machines: Opus in place of samples, one encoder for each voice.

Encoded once by the worker that has the connection, whoever and however many want it; decoded once
by each worker that mixes it. Adds 2.5 ms, the look-ahead of the encoder.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

import msgspec
import numpy as np

from mixer.exchange_frames import BYTES_PER_SAMPLE, MOST_SAMPLES, BusFrame, RosterEntry, Sound
from webrtc.media.opus import Application, Decoder, Encoder, EncoderSettings
from webrtc.media.opus_library import OpusError

_SETTINGS: Final = EncoderSettings(
    application=Application.RESTRICTED_LOWDELAY, bitrate_bps=128_000, complexity=5
)
_FRESH: Final = replace(_SETTINGS, prediction_disabled=True)
KEPT_S: Final = 5.0
"""How long an encoder or decoder is kept for a voice that is silent."""

_Coder = TypeVar("_Coder")


@dataclass(slots=True)
class _Voice(Generic[_Coder]):
    coder: _Coder
    number: int
    used_s: float


class _Voices(Generic[_Coder]):
    """One coder for each voice of each room of each worker, and who stands where in its lists."""

    def __init__(self, make: Callable[[], _Coder]) -> None:
        self._make = make
        self._voices: dict[tuple[str, int, str], _Voice[_Coder]] = {}
        self._rosters: dict[tuple[str, int], tuple[int, list[RosterEntry]]] = {}
        self._swept_s = 0.0

    def roster(self, frame: BusFrame) -> list[RosterEntry]:
        """Return whom a frame's sounds belong to; nobody if that has not been told."""
        key = frame.room_id, frame.worker
        if frame.roster is not None:
            self._rosters[key] = frame.roster_serial, frame.roster
        serial, roster = self._rosters.get(key, (None, []))
        return roster if serial == frame.roster_serial else []

    def voice(self, frame: BusFrame, source_id: str, now_s: float) -> tuple[_Coder, bool]:
        """Return a voice's coder, and whether the last frame of its room had this voice, too."""
        key = frame.room_id, frame.worker, source_id
        voice = self._voices.get(key)
        if voice is None:
            voice = self._voices[key] = _Voice(self._make(), -1, now_s)
        goes_on = voice.number == frame.number - 1
        voice.number, voice.used_s = frame.number, now_s
        return voice.coder, goes_on

    def sweep(self, now_s: float) -> None:
        """Let go of what has not been used for a while."""
        if now_s - self._swept_s < KEPT_S:
            return
        self._swept_s = now_s
        for key in [key for key, one in self._voices.items() if now_s - one.used_s > KEPT_S]:
            del self._voices[key]
        rooms = {key[:2] for key in self._voices}
        self._rosters = {key: one for key, one in self._rosters.items() if key in rooms}


class SoundPacker:
    """Samples to packets."""

    def __init__(self) -> None:
        """Begin without any voice."""
        self._voices = _Voices(lambda: Encoder(_SETTINGS))

    def pack(self, frame: BusFrame, now_s: float) -> BusFrame:
        """Return a frame with packets for samples; sound of whom is not known is left out."""
        roster = self._voices.roster(frame)
        packed = []
        for sound in frame.sounds:
            if sound.place < len(roster):
                source_id = roster[sound.place].source_id
                encoder, goes_on = self._voices.voice(frame, source_id, now_s)
                encoder.apply(_SETTINGS if goes_on else _FRESH)
                samples = np.frombuffer(sound.pcm, "<f4").reshape(-1, 2)
                packed.append(Sound(sound.place, encoder.encode(samples)))
        self._voices.sweep(now_s)
        return msgspec.structs.replace(frame, sounds=packed)


class SoundUnpacker:
    """Packets to samples.

    Attributes:
        malformed: Packets that were none.
    """

    def __init__(self) -> None:
        """Begin without any voice."""
        self.malformed = 0
        self._voices = _Voices(Decoder)
        self._out = np.zeros((MOST_SAMPLES, 2), np.float32)

    def unpack(self, frame: BusFrame, now_s: float) -> BusFrame:
        """Return a frame with samples for packets; what cannot be read is left out."""
        roster = self._voices.roster(frame)
        sounds = []
        if not 0 < frame.samples <= MOST_SAMPLES:
            return msgspec.structs.replace(frame, sounds=[])
        out = self._out[: frame.samples]
        for sound in frame.sounds:
            if sound.place >= len(roster):
                continue
            decoder, _ = self._voices.voice(frame, roster[sound.place].source_id, now_s)
            try:
                count = decoder.decode(sound.pcm, out)
            except OpusError:
                self.malformed += 1
                continue
            if count == frame.samples:
                pcm = out.astype("<f4", copy=False).tobytes()
                assert len(pcm) == frame.samples * BYTES_PER_SAMPLE
                sounds.append(Sound(sound.place, pcm))
        self._voices.sweep(now_s)
        return msgspec.structs.replace(frame, sounds=sounds)
