"""What the studio's curves and knobs are held to: written from the server's own code.

`python -m tests.js.golden.studio` writes studio.json anew; a test fails when it is stale.
"""

import json
from pathlib import Path
from typing import Any, Final, get_args

import msgspec
import numpy as np
from scipy.signal import sosfreqz

from dsp import equaliser, high_pass, svf
from dsp.compressor import CompressorSettings, reduction_db
from dsp.denoise_engines import COSTS
from dsp.equaliser import BandSettings
from dsp.high_pass import HighPassSettings
from dsp.presets import NEUTRAL, PRESETS
from dsp.spectrum import centres_hz
from dsp.units import SAMPLE_RATE_HZ
from rooms.strip import BYPASSES, DEFAULT_STRIP, Genre, StripSettings, to_wire

GOLDEN: Final = Path(__file__).with_name("studio.json")
_FREQUENCIES_HZ: Final = (20.0, 50.0, 99.5, 250.0, 1000.0, 3333.0, 8000.0, 15_000.0, 20_000.0)
_LEVELS_DB: Final = (-80.0, -40.0, -30.0, -24.0, -21.0, -18.0, -15.0, -12.0, -6.0, 0.0)
_BANDS: Final = (
    BandSettings("low_shelf", 80.0, 6.0, 0.7),
    BandSettings("low_shelf", 20.0, -18.0, 0.1),
    BandSettings("low_shelf", 400.0, 12.0, 2.0),
    BandSettings("peak", 1000.0, -9.0, 1.0),
    BandSettings("peak", 60.0, 18.0, 10.0),
    BandSettings("peak", 18_000.0, 7.5, 0.5),
    BandSettings("high_shelf", 12_000.0, -4.0, 0.7),
    BandSettings("high_shelf", 20_000.0, 18.0, 1.5),
    BandSettings("peak", 500.0, 0.0, 1.0),
)
_COMPRESSORS: Final = (
    CompressorSettings(),
    CompressorSettings(-30.0, 8.0, 0.0, makeup_db=4.0),
    CompressorSettings(-20.0, 20.0, 24.0, auto_makeup=True),
    CompressorSettings(-40.0, 2.0, 12.0, makeup_db=3.0, auto_makeup=True),
)


def golden() -> dict[str, Any]:
    """Return the golden values."""
    fields = msgspec.json.schema_components([StripSettings])[1]["StripSettings"]["properties"]
    wire_names = dict(
        zip(StripSettings.__struct_fields__, StripSettings.__struct_encode_fields__, strict=True)
    )
    return {
        "settings": {
            name: {
                "min": fields[name].get("minimum"),
                "max": fields[name].get("maximum"),
                "initial": value,
            }
            for name, value in to_wire(DEFAULT_STRIP).items()
        },
        "presets": sorted(PRESETS),
        "denoisers": sorted([name, cost.latency_ms, cost.us] for name, cost in COSTS.items()),
        "genres": sorted(get_args(Genre)),
        "sound": sorted([*(wire_names[name] for name in NEUTRAL), *BYPASSES]),
        "bands": [
            {
                **{"shape": band.shape, "hz": band.frequency_hz},
                **{"gain_db": band.gain_db, "q": band.q},
                "response": _response(equaliser.section(band)),
            }
            for band in _BANDS
        ],
        "low_cuts": [
            {"hz": hz, "response": _response(high_pass.section(HighPassSettings(hz)))}
            for hz in (40.0, 80.0, 400.0)
        ],
        "compressors": [
            {
                **{"threshold_db": one.threshold_db, "ratio": one.ratio, "knee_db": one.knee_db},
                **{"makeup_db": one.makeup_db, "auto_makeup": one.auto_makeup},
                "total_makeup_db": round(one.total_makeup_db, 6),
                "reduction": [[x, round(reduction_db(one, x), 6)] for x in _LEVELS_DB],
            }
            for one in _COMPRESSORS
        ],
        "centres_hz": [round(float(hz), 4) for hz in centres_hz()],
    }


def _response(section: svf.Section) -> list[list[float]]:
    """Return pairs of frequency in Hz and gain in dB."""
    sos = svf.to_sos(np.array([section]))
    _, response = sosfreqz(sos, np.array(_FREQUENCIES_HZ), fs=SAMPLE_RATE_HZ)
    gains_db = 20.0 * np.log10(np.abs(response))
    return [[hz, round(float(db), 6)] for hz, db in zip(_FREQUENCIES_HZ, gains_db, strict=True)]


def text() -> str:
    """Return the file's text."""
    return json.dumps(golden(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    GOLDEN.write_text(text(), "utf-8")
