"""How the tests run strips, and settings to run them with."""

from collections.abc import Mapping, Sequence

import numpy as np
from hypothesis import strategies as st

from dsp.chorus import ChorusSettings
from dsp.compressor import CompressorSettings
from dsp.delay import DelaySettings
from dsp.engine import Engine
from dsp.equaliser import BandSettings, EqualiserSettings
from dsp.gate import GateSettings
from dsp.high_pass import HighPassSettings
from dsp.limiter import LimiterSettings
from dsp.reverb import ReverbSettings
from dsp.stereo import StereoSettings
from dsp.strip import StripBank, StripSettings
from tests.dsp.signals import Sound


def bands(*given: BandSettings) -> EqualiserSettings:
    """Return an equaliser with the given bands and flat ones."""
    flat = (BandSettings(),) * (5 - len(given))
    return EqualiserSettings((*given, *flat))  # type: ignore[arg-type]


EQUALISER = bands(
    BandSettings("low_shelf", 120, 3, 0.7),
    BandSettings("peak", 300, -2, 1),
    BandSettings("peak", 1000, 3, 1),
    BandSettings("peak", 3000, 2, 1),
    BandSettings("high_shelf", 8000, 3, 0.7),
)

# One strip for each stage alone, and one with all of them.
STAGES = {
    "trim": StripSettings(trim_db=6),
    "high_pass": StripSettings(high_pass=HighPassSettings(120)),
    "gate": StripSettings(gate=GateSettings(-30)),
    "compressor": StripSettings(compressor=CompressorSettings(-24, 4)),
    "sidechain": StripSettings(
        compressor=CompressorSettings(-24, 4, auto_makeup=True, sidechain_high_pass_hz=150)
    ),
    "equaliser": StripSettings(equaliser=EQUALISER),
    "stereo": StripSettings(stereo=StereoSettings(160, 0.3)),
    "limiter": StripSettings(limiter=LimiterSettings(-12)),
    "chorus": StripSettings(chorus=ChorusSettings(2, 70)),
    "delay": StripSettings(delay=DelaySettings(37, 40, 60, 40)),
    "shortest delay": StripSettings(delay=DelaySettings(1, 80, 0, 50)),
    "reverb": StripSettings(reverb=ReverbSettings(30, 0.4, 50, 7, 40)),
    "fader": StripSettings(fader_db=-7),
    "all": StripSettings(
        3,
        HighPassSettings(),
        GateSettings(-40),
        CompressorSettings(-20, 4, sidechain_high_pass_hz=100),
        EQUALISER,
        StereoSettings(120, -0.2),
        LimiterSettings(-6),
        ChorusSettings(),
        DelaySettings(50),
        ReverbSettings(decay_s=0.3),
        2,
    ),
}


def strip_settings() -> st.SearchStrategy[StripSettings]:
    """Every combination of settings in range."""

    def within(low: float, high: float) -> st.SearchStrategy[float]:
        return st.floats(low, high)

    band = st.builds(
        BandSettings,
        st.sampled_from(["low_shelf", "peak", "high_shelf"]),
        within(20, 20_000),
        within(-18, 18),
        within(0.1, 10),
    )
    five = st.tuples(band, band, band, band, band)
    return st.builds(
        StripSettings,
        within(-24, 24),
        st.none() | st.builds(HighPassSettings, within(20, 400)),
        st.none()
        | st.builds(
            GateSettings,
            within(-80, 0),
            within(0, 20),
            within(10, 1000),
            within(2.5, 50),
            within(5, 2000),
            within(-80, 0),
        ),
        st.none()
        | st.builds(
            CompressorSettings,
            within(-60, 0),
            within(1, 20),
            within(0, 24),
            within(0.1, 200),
            within(5, 2000),
            within(0, 24),
            st.booleans(),
            within(20, 500),
        ),
        st.none() | st.builds(EqualiserSettings, five),
        st.none() | st.builds(StereoSettings, within(0, 200), within(-1, 1)),
        st.builds(LimiterSettings, within(-20, 0), within(5, 1000)),
        st.none() | st.builds(ChorusSettings, within(0.05, 5), within(0, 100), within(0, 100)),
        st.none()
        | st.builds(DelaySettings, within(1, 2000), within(0, 95), within(0, 100), within(0, 100)),
        st.none()
        | st.builds(
            ReverbSettings,
            within(0, 100),
            within(0.2, 10),
            within(0, 100),
            within(0, 200),
            within(0, 100),
        ),
        within(-60, 12),
    )


def run(
    engine: Engine,
    sounds: Sequence[Sound],
    settings: Sequence[StripSettings],
    *,
    blocks: Sequence[int] = (960,),
    changes: Mapping[int, Sequence[StripSettings]] | None = None,
) -> list[Sound]:
    """Return what comes out of one strip for each sound.

    Args:
        engine: Who computes.
        sounds: One for each row, all of one length.
        settings: One for each row, set before the first sample.
        blocks: Lengths of the blocks, taken in turn.
        changes: New settings for all rows, by the sample where they are set; a block ends there.
    """
    bank = StripBank(engine)
    for row, setting in enumerate(settings):
        bank.take(row)
        bank.set(row, setting)
    arena = np.stack(sounds)
    rows = np.arange(len(sounds), dtype=np.int32)
    at, number = 0, 0
    pending = dict(changes or {})
    while at < arena.shape[1]:
        for row, setting in enumerate(pending.pop(at, ())):
            bank.set(row, setting)
        stop = min([at + blocks[number % len(blocks)], arena.shape[1], *pending])
        bank.process(arena, rows, at, stop - at)
        at, number = stop, number + 1
    return list(arena)


def run_one(engine: Engine, sound: Sound, settings: StripSettings, **options: object) -> Sound:
    """Return what comes out of one strip, its latency taken off."""
    return run(engine, [sound], [settings], **options)[0]  # type: ignore[arg-type]
