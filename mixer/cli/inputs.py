"""What the command line says about one file: `a.wav,gain=-3,pan=0.5,preset=voice,network=50%`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsp.strip import StripSettings
from mixer.cli.presets import PRESETS
from mixer.listener import PersonalGain
from mixer.netsim_settings import NetworkConditions, parse_conditions

_UNCHANGED: Final = PersonalGain()
_KEYS: Final = ("gain", "pan", "preset", "network")


@dataclass(frozen=True, slots=True)
class Input:
    """A file to be mixed.

    Attributes:
        path: Where it is.
        gain: Gain and pan.
        strip: Its strip; None for none.
        network: The network that it comes through; None for none.
    """

    path: Path
    gain: PersonalGain = _UNCHANGED
    strip: StripSettings | None = None
    network: NetworkConditions | None = None


def parse_input(text: str) -> Input:
    """Read a file's name and what follows it, `,key=value` each; `+` stands for `,` in values.

    Names may contain commas; only what begins with a known key is a setting.

    Raises:
        ValueError: A setting is out of range, unknown or there twice.
    """
    name, settings = _split(text)
    if not name:
        raise ValueError("a file's name is missing")
    preset = settings.get("preset")
    if preset is not None and preset not in PRESETS:
        raise ValueError(f"there is no preset {preset!r}; there are {', '.join(PRESETS)}")
    network = settings.get("network")
    return Input(
        Path(name),
        PersonalGain(_number(settings, "gain", " dB"), _number(settings, "pan", "")),
        PRESETS[preset] if preset is not None else None,
        parse_conditions(network.replace("+", ",")) if network is not None else None,
    )


def _split(text: str) -> tuple[str, dict[str, str]]:
    parts = text.split(",")
    settings: dict[str, str] = {}
    while len(parts) > 1:
        key, equals, value = parts[-1].partition("=")
        if key not in _KEYS or not equals:
            break
        if key in settings:
            raise ValueError(f"{key} is there twice")
        settings[key] = value
        parts.pop()
    return ",".join(parts), settings


def _number(settings: dict[str, str], key: str, unit: str) -> float:
    text = settings.get(key, "0")
    try:
        return float(text.removesuffix(unit.strip()))
    except ValueError:
        raise ValueError(f"{key} needs a number{unit and ' of' + unit}, not {text!r}") from None
