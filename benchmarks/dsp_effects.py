"""How true the effects are, and that no setting clicks; `benchmarks.dsp_quality` shows it."""

from collections.abc import Iterator
from dataclasses import replace

import msgspec
import numpy as np
from scipy.signal import butter, sosfiltfilt

from benchmarks.dsp_sounds import RATE_HZ, Sound, Values, noise, sine, through
from dsp.engine import ENGINES, Engine, load_engine
from dsp.presets import PRESETS
from dsp.reverb import ReverbSettings
from dsp.stereo import StereoSettings
from dsp.strip import StripBank, StripSettings
from dsp.strip_values import DEFAULTS, strip_of
from rooms.strip import StripSettings as WireStrip

TARGETS = {
    "rt60_percent": 5.0,
    "mono_sum_db": -100.0,
    "click_dbfs": -65.0,
    "engines_apart_db": -80.0,
    "samples_that_differ": 0.0,
}

_SIZES = (0.0, 50.0, 100.0)
_DECAYS_S = (0.2, 0.5, 2.0, 6.0)
_USED: dict[str, dict[str, float]] = {
    "high": {},
    "gate": {"gate_threshold_db": -45.0},
    "comp": {"comp_ratio": 4.0, "comp_threshold_db": -40.0},
    "makeup": {"comp_ratio": 4.0, "comp_threshold_db": -40.0},
    "sidechain": {"comp_ratio": 4.0, "comp_threshold_db": -40.0},
    **{f"eq{n}": {f"eq{n}_gain_db": 12.0} for n in range(1, 6)},
    "limiter": {"limiter_ceiling_dbtp": -20.0},
    "chorus": {"chorus_mix_percent": 50.0},
    "delay": {"delay_mix_percent": 50.0, "delay_time_ms": 53.3},
    "reverb": {"reverb_mix_percent": 50.0, "reverb_decay_s": 0.5},
}
"""What a setting needs to be heard, by the beginning of its name."""


def measure(engine: Engine) -> dict[str, float]:
    """Return all figures of one engine."""
    return {
        "rt60_percent": max(
            100 * abs(decay_s(reverberation(engine, size, decay)) / decay - 1)
            for size in _SIZES
            for decay in _DECAYS_S
        ),
        "mono_sum_db": _mono_sum_db(engine),
        "click_dbfs": max(_click_dbfs(engine, *pair) for pair in jumps()),
        "engines_apart_db": max(_engines_apart_db(strip_of(v)) for v in PRESETS.values()),
        "samples_that_differ": float(_differing(engine)),
    }


def reverberation(
    engine: Engine, size_percent: float, seconds: float, damping_percent: float = 0.0
) -> Sound:
    """Return what comes back of an impulse."""
    impulse = np.zeros((int(RATE_HZ * (1.3 * seconds + 0.4)), 2), np.float32)
    impulse[0] = 0.5
    room = ReverbSettings(size_percent, seconds, damping_percent, 0.0, 100.0)
    return through(engine, impulse, StripSettings(reverb=room))


def fall_db(sound: Sound) -> Values:
    """Return how much energy is still to come, against all of it (Schroeder's integral)."""
    power = (sound.astype(np.float64) ** 2).sum(axis=1)
    energy = np.cumsum(power[::-1])[::-1]
    return np.asarray(10 * np.log10(energy / energy[0] + 1e-30))


def decay_s(sound: Sound) -> float:
    """Return the time to −60 dB, by the slope from −5 to −35 dB (ISO 3382-1, T30)."""
    level_db = fall_db(sound)
    begin, end = int(np.argmax(level_db <= -5)), int(np.argmax(level_db <= -35))
    slope = np.polyfit(np.arange(begin, end) / RATE_HZ, level_db[begin:end], 1)[0]
    return float(-60 / slope)


def jumps() -> Iterator[tuple[StripSettings, StripSettings]]:
    """Yield, for each setting of the wire that has a range, strips at both ends of it."""
    schema = msgspec.json.schema_components([WireStrip])[1]["StripSettings"]["properties"]
    fields = {field.encode_name: field.name for field in msgspec.structs.fields(WireStrip)}
    for wire_name, field in schema.items():
        name = fields[wire_name]
        if "minimum" in field and name in DEFAULTS:
            used = next((v for k, v in _USED.items() if name.startswith(k)), {})
            low, high = ({**used, name: field[end]} for end in ("minimum", "maximum"))
            yield strip_of(low, limits=True), strip_of(high, limits=True)
            yield strip_of(high, limits=True), strip_of(low, limits=True)


def _mono_sum_db(engine: Engine) -> float:
    sound = noise(0.05, 0.5)
    plain = through(engine, sound, StripSettings(trim_db=1e-9)).astype(np.float64).sum(axis=1)
    worst = 0.0
    for width in (0.0, 50.0, 150.0, 200.0):
        strip = StripSettings(stereo=StereoSettings(width))
        wide = through(engine, sound, strip).astype(np.float64).sum(axis=1)
        worst = max(worst, float((wide - plain).std() / plain.std()))
    return float(20 * np.log10(worst + 1e-15))


def _click_dbfs(engine: Engine, before: StripSettings, after: StripSettings) -> float:
    """Return what a change makes above 5 kHz, on 1 kHz at −20 dBFS."""
    tone = sine(1000, -20, 0.9)
    tone[:4800] *= np.linspace(0, 1, 4800, dtype=np.float32)[:, None]
    out = through(engine, tone, before, after).astype(np.float64)
    high = sosfiltfilt(butter(8, 5000, "high", fs=RATE_HZ, output="sos"), out, axis=0)
    return float(20 * np.log10(np.abs(high[12_000:-4800]).max() + 1e-12))


def _engines_apart_db(strip: StripSettings) -> float:
    sound = noise(0.1, 0.4)
    one, two = (through(load_engine(name), sound, strip).astype(np.float64) for name in ENGINES)
    return float(20 * np.log10(np.abs(one - two).max() / np.abs(two).max() + 1e-15))


def _differing(engine: Engine) -> int:
    """Count samples that depend on blocks or neighbours."""
    sound = noise(0.1, 0.25)
    strip = replace(strip_of(PRESETS["voice"]), reverb=ReverbSettings(decay_s=0.5))
    whole = through(engine, sound, strip)
    lengths = np.random.default_rng(9).integers(1, 4097, 50).tolist()
    cuts = ([48], [77, 960, 3], [4096], lengths)
    count = sum(int((through(engine, sound, strip, blocks=cut) != whole).sum()) for cut in cuts)
    return count + int((_among_others(engine, sound, strip) != whole).sum())


def _among_others(engine: Engine, sound: Sound, strip: StripSettings) -> Sound:
    rows = np.arange(9, dtype=np.int32)
    bank = StripBank(engine)
    presets = [strip_of(values) for values in PRESETS.values()]
    for row, settings in enumerate([*presets, strip]):
        bank.take(row)
        bank.set(row, settings)
    length = len(sound) + bank.latency_samples
    arena = np.stack([noise(0.3, 1.0, seed=row)[:length] for row in range(9)])
    arena[8] = 0.0
    arena[8, : len(sound)] = sound
    bank.process(arena, rows, 0, length)
    return arena[8, bank.latency_samples :]
