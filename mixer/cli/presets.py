"""Strips by name, for files."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dsp.compressor import CompressorSettings
from dsp.equaliser import BandSettings, EqualiserSettings
from dsp.gate import GateSettings
from dsp.high_pass import HighPassSettings
from dsp.limiter import LimiterSettings
from dsp.mixing_system import AUTOMATIC
from dsp.strip import StripSettings

_LOW, _, _MID, _, _HIGH = EqualiserSettings().bands
_PRESENCE: Final = BandSettings("peak", 3500, 3, 0.8)

PRESETS: Final[Mapping[str, StripSettings]] = MappingProxyType(
    {
        "auto": AUTOMATIC,
        "voice": StripSettings(
            high_pass=HighPassSettings(90),
            gate=GateSettings(-50),
            compressor=CompressorSettings(-24, 3, auto_makeup=True, sidechain_high_pass_hz=120),
            equaliser=EqualiserSettings(
                (_LOW, BandSettings("peak", 250, -2, 1), _MID, _PRESENCE, _HIGH)
            ),
            limiter=LimiterSettings(-1),
        ),
        "music": StripSettings(
            compressor=CompressorSettings(-18, 1.8, attack_ms=25, release_ms=200),
            limiter=LimiterSettings(-1),
        ),
        "drums": StripSettings(
            gate=GateSettings(-42, hold_ms=60, release_ms=80),
            compressor=CompressorSettings(-16, 4, attack_ms=15, release_ms=90, auto_makeup=True),
            limiter=LimiterSettings(-1),
        ),
        "limit": StripSettings(limiter=LimiterSettings(-1)),
    }
)
"""`auto` suits most sounds; `limit` only keeps true peaks under −1 dBTP."""
