"""Strips by name, for files: the presets of the page, and two more."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dsp import presets
from dsp.limiter import LimiterSettings
from dsp.mixing_system import AUTOMATIC
from dsp.strip import StripSettings
from dsp.strip_values import strip_of

PRESETS: Final[Mapping[str, StripSettings]] = MappingProxyType(
    {
        "auto": AUTOMATIC,
        "limit": StripSettings(limiter=LimiterSettings(-1)),
        **{name: strip_of(values) for name, values in presets.PRESETS.items()},
    }
)
"""`auto` suits most sounds; `limit` only keeps true peaks under −1 dBTP."""
