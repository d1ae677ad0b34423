"""What channel strips do to sound, against formulae and limits, for both engines.

`--pictures FOLDER` also draws the curves of docs/dsp.md as SVG.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.signal import freqz_sos, resample_poly

from benchmarks import dsp_effects, dsp_loudness
from benchmarks.dsp_chart import Axis, write_chart
from benchmarks.dsp_sounds import RATE_HZ, Sound, Values, sine, stereo, through
from benchmarks.harness.report import print_result, print_table
from dsp import compressor, equaliser, svf
from dsp.compressor import CompressorSettings
from dsp.engine import ENGINES, Engine, load_engine
from dsp.equaliser import BandSettings, EqualiserSettings
from dsp.gate import GateSettings
from dsp.limiter import LimiterSettings
from dsp.strip import LATENCY_SAMPLES, StripSettings

AUDIBLE_HZ = np.geomspace(20, 20_000, 300)
BANDS = EqualiserSettings(
    (
        BandSettings("low_shelf", 80, 6, 0.7),
        BandSettings("peak", 250, -9, 2),
        BandSettings("peak", 1000, 4, 1),
        BandSettings("peak", 4000, -12, 6),
        BandSettings("high_shelf", 12_000, 5, 0.7),
    )
)
GATE = GateSettings(-40, attack_ms=10, release_ms=100, range_db=-80)
COMPRESSOR = CompressorSettings(-30, 4, 6, 5, 100)
TARGETS = {
    "eq_db": 0.01,
    "curve_db": 0.05,
    "gate_db": 0.5,
    "attack_percent": 5.0,
    "release_percent": 5.0,
    "gate_attack_percent": 5.0,
    "gate_release_percent": 5.0,
    "true_peak_over_db": 0.0,
    "thd_limiter_db": -80.0,
    "thd_compressor_db": -50.0,
    "latency_ms": 1.5,
}


def level_db(sound: Sound) -> float:
    """Return a sine's peak level."""
    return float(20 * np.log10(np.sqrt(2) * sound.astype(np.float64).std() + 1e-12))


def response_db(engine: Engine) -> Values:
    """Return the measured response of the bands."""
    impulse = np.zeros((4 * RATE_HZ, 2), np.float32)
    impulse[0] = 0.05
    answer = through(engine, impulse, StripSettings(equaliser=BANDS))[:, 0].astype(np.float64)
    t = np.arange(len(answer)) / RATE_HZ
    sums = np.array([np.exp(-2j * np.pi * f * t) @ answer for f in AUDIBLE_HZ])
    return np.asarray(20 * np.log10(np.abs(sums) / 0.05))


def equaliser_error_db(engine: Engine) -> float:
    """Return the largest distance from the cookbook's response."""
    sos = svf.to_sos(np.array([equaliser.section(band) for band in BANDS.bands]))
    expected = 20 * np.log10(np.abs(freqz_sos(sos, AUDIBLE_HZ, fs=RATE_HZ)[1]))
    return float(np.abs(response_db(engine) - expected).max())


def static_curve(engine: Engine, levels: Values) -> Values:
    """Return output levels of a 997 Hz sine."""
    strip = StripSettings(compressor=COMPRESSOR)
    return np.array([level_db(through(engine, sine(997, x, 0.6), strip)[-19_200:]) for x in levels])


def curve_error_db(engine: Engine) -> float:
    """Return the largest distance from the formula."""
    levels = np.arange(-54.0, 0.0, 3.0)
    expected = [x + compressor.reduction_db(COMPRESSOR, x) for x in levels]
    return float(np.abs(static_curve(engine, levels) - expected).max())


def gate_error_db(engine: Engine) -> float:
    """Return how far from its setting the gate opens, to a tenth of a decibel."""
    strip = StripSettings(gate=GateSettings(-40))
    for offset in np.arange(-2.0, 2.0, 0.1):
        if level_db(through(engine, sine(997, -40 + offset, 0.4), strip)[9600:]) > -60:
            return abs(float(offset))
    return float("inf")


def times_ms(engine: Engine) -> tuple[float, float]:
    """Return attack and release to 63 %, in milliseconds."""
    levels = np.repeat([-40.0, -11.0, -40.0], [RATE_HZ // 10, RATE_HZ, RATE_HZ])
    sound = stereo(10 ** (levels / 20))
    out = through(engine, sound, StripSettings(compressor=COMPRESSOR))
    change_db = 20 * np.log10(out[:, 0] / sound[:, 0])
    steady_db = compressor.reduction_db(COMPRESSOR, -11.0)
    attack = np.argmax(change_db[RATE_HZ // 10 :] <= 0.632 * steady_db)
    release = np.argmax(change_db[RATE_HZ // 10 + RATE_HZ :] >= 0.368 * steady_db)
    return attack * 1000 / RATE_HZ, release * 1000 / RATE_HZ - compressor.HOLD_MS


def gate_times_ms(engine: Engine) -> tuple[float, float]:
    """Return the gate's attack and release to 63 %, in milliseconds."""
    sound = stereo(10 ** (np.repeat([-60.0, -20.0, -60.0], RATE_HZ // 2) / 20))
    gain = through(engine, sound, StripSettings(gate=GATE))[:, 0] / sound[:, 0]
    attack = np.argmax(gain[RATE_HZ // 2 :] >= 0.632)
    release = np.argmax(gain[RATE_HZ:] <= 0.368)
    return attack * 1000 / RATE_HZ, release * 1000 / RATE_HZ - GATE.hold_ms


def distortion_db(engine: Engine, strip: StripSettings, level: float) -> float:
    """Return THD+N of 100 Hz."""
    out = through(engine, sine(100, level, 2.0), strip)[RATE_HZ:-4800, 0].astype(np.float64)
    t = 2 * np.pi * 100 * np.arange(len(out)) / RATE_HZ
    basis = np.stack([np.sin(t), np.cos(t), np.ones_like(t)], axis=1)
    fit = basis @ np.linalg.lstsq(basis, out, rcond=None)[0]
    return float(20 * np.log10((out - fit).std() / fit.std()))


def loud_sounds() -> dict[str, Sound]:
    """Return sounds that go far over any ceiling."""
    random = np.random.default_rng(11)
    t = np.arange(2 * RATE_HZ) / RATE_HZ
    syllables = np.clip(np.sin(2 * np.pi * 2.3 * t) + 0.3, 0, None)
    voice = sum(np.sin(2 * np.pi * 140 * k * t) / k for k in range(1, 12))
    chord = sum(np.sin(2 * np.pi * f * t) for f in (110, 220, 277, 880, 3520))
    burst = random.standard_normal(len(t)) * np.exp(-60 * (t % 0.5))
    impulses = np.zeros(len(t))
    impulses[random.integers(0, len(t), 60)] = random.uniform(-4, 4, 60)
    sounds = {
        "speech": syllables * (2 * voice + random.standard_normal(len(t)) * 0.5),
        "music": chord * np.exp(-8 * (t % 0.25)) + 2 * burst,
        "square": 2 * np.sign(np.sin(2 * np.pi * 997 * t + 0.1)),
        "impulses": impulses,
    }
    return {name: stereo(np.pad(mono, (0, 960))) for name, mono in sounds.items()}


def true_peak_over_db(engine: Engine) -> dict[str, float]:
    """Return by how much each sound is over the ceiling, by eight times oversampling."""
    over = {}
    for name, sound in loud_sounds().items():
        out = through(engine, sound, StripSettings(limiter=LimiterSettings(-1))).astype(np.float64)
        fine = resample_poly(out, 8, 1, axis=0, window=("kaiser", 8.0))
        over[name] = float(20 * np.log10(np.abs(fine).max())) + 1
    return over


def measure(engine: Engine) -> dict[str, float]:
    """Return all figures of one engine."""
    attack_ms, release_ms = times_ms(engine)
    opening_ms, closing_ms = gate_times_ms(engine)
    limited = StripSettings(limiter=LimiterSettings(-10))
    compressed = StripSettings(compressor=CompressorSettings(-20, 4, 6, 5, 100))
    return {
        "eq_db": equaliser_error_db(engine),
        "curve_db": curve_error_db(engine),
        "gate_db": gate_error_db(engine),
        "attack_percent": 100 * abs(attack_ms / COMPRESSOR.attack_ms - 1),
        "release_percent": 100 * abs(release_ms / COMPRESSOR.release_ms - 1),
        "gate_attack_percent": 100 * abs(opening_ms / GATE.attack_ms - 1),
        "gate_release_percent": 100 * abs(closing_ms / GATE.release_ms - 1),
        "true_peak_over_db": max(true_peak_over_db(engine).values()),
        "thd_limiter_db": distortion_db(engine, limited, 0),
        "thd_compressor_db": distortion_db(engine, compressed, -3),
        "latency_ms": 1000 * LATENCY_SAMPLES / RATE_HZ,
    }


def draw(engine: Engine, folder: Path) -> None:
    """Draw the pictures of the documentation."""
    folder.mkdir(parents=True, exist_ok=True)
    sos = svf.to_sos(np.array([equaliser.section(band) for band in BANDS.bands]))
    formula = 20 * np.log10(np.abs(freqz_sos(sos, AUDIBLE_HZ, fs=RATE_HZ)[1]))
    write_chart(
        folder / "dsp-equaliser.svg",
        "Five bands: measured (line) and the cookbook's formulae (dots)",
        Axis("Hz", AUDIBLE_HZ, logarithmic=True),
        Axis("dB", response_db(engine)),
        dots=(AUDIBLE_HZ[::12], formula[::12]),
    )
    levels = np.arange(-60.0, 0.0, 2.0)
    expected = np.array([x + compressor.reduction_db(COMPRESSOR, x) for x in levels])
    write_chart(
        folder / "dsp-compressor.svg",
        "Compressor, −30 dBFS, 4:1, knee 6 dB: measured (line) and formula (dots)",
        Axis("dBFS in", levels),
        Axis("dBFS out", static_curve(engine, levels)),
        dots=(levels[::2], expected[::2]),
    )
    draw_gate(engine, folder)
    draw_reverb(engine, folder)


def draw_gate(engine: Engine, folder: Path) -> None:
    """Draw how the gate opens and closes."""
    sound = stereo(10 ** (np.repeat([-60.0, -20.0, -60.0], RATE_HZ // 5) / 20))
    gain = (through(engine, sound, StripSettings(gate=GATE))[:, 0] / sound[:, 0]).astype(np.float64)
    t = np.arange(len(gain)) * 1000 / RATE_HZ
    times = np.array([200 + GATE.attack_ms, 400 + GATE.hold_ms + GATE.release_ms])
    write_chart(
        folder / "dsp-gate.svg",
        "Gate, attack 10 ms, hold 80 ms, release 100 ms: gain (line), 63 % at the set times (dots)",
        Axis("ms", t[::48]),
        Axis("gain", gain[::48]),
        dots=(times, np.array([0.632, 0.368])),
    )


def draw_reverb(engine: Engine, folder: Path) -> None:
    """Draw how the reverb dies away."""
    level_db = dsp_effects.fall_db(dsp_effects.reverberation(engine, 50.0, 2.0))
    t = np.arange(len(level_db)) * 1000 / RATE_HZ
    shown = slice(0, int(2.2 * RATE_HZ), RATE_HZ // 100)
    at = np.arange(250.0, 2001.0, 250.0)
    write_chart(
        folder / "dsp-reverb.svg",
        "Reverb, decay 2 s: energy that is still to come (line) and 30 dB each second (dots)",
        Axis("ms", t[shown]),
        Axis("dB", level_db[shown]),
        dots=(at, -0.03 * at),
    )


def main() -> None:
    """Measure and tell the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="changes nothing: it is quick")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="draw curves there")
    parser.add_argument(
        "--voices", type=Path, nargs="*", default=[], metavar="WAV", help="to level"
    )
    given = parser.parse_args()
    folder = given.pictures
    engines = {name: load_engine(name) for name in ENGINES}
    figures = {
        name: measure(engine) | dsp_effects.measure(engine) for name, engine in engines.items()
    }
    targets = TARGETS | dsp_effects.TARGETS
    print_table(
        "What strips do to sound",
        ["figure", *ENGINES, "at most"],
        [[key, *(figures[name][key] for name in ENGINES), targets[key]] for key in targets],
    )
    heard = dsp_loudness.measure(dsp_loudness.read_voices(given.voices))
    print_table(
        "Loudness",
        ["figure", "measured", "at most"],
        [[key, heard.get(key), dsp_loudness.TARGETS[key]] for key in dsp_loudness.TARGETS],
    )
    if folder is not None:
        draw(load_engine(), folder)
    rounded: dict[str, object] = {
        name: {key: round(value, 4) for key, value in values.items()}
        for name, values in figures.items()
    }
    rounded["loudness"] = {key: round(value, 4) for key, value in heard.items()}
    print_result("dsp_quality", rounded)


if __name__ == "__main__":
    main()
