"""How often raw samples of unknown format are recognised, on recordings that no training has seen.

    python -m benchmarks.pcm_guess [--buffers N] [--cache DIR]

Speech and music come from Debian packages, fetched by `apt-get download` and kept in the cache.
Each buffer holds 4 to 8 s of one recording, at a rate and in an encoding that are drawn at random;
nothing is said about it. The rate is judged twice: where it is one of those in common use (8, 16,
44.1 and 48 kHz; half of the buffers), and where it is any of eight; as those four are the most
frequent here, also with all eight counted alike. Prints one line of JSON last.
"""

import argparse
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from archive.encodings import ENCODINGS, RATES_HZ, SampleFormat
from archive.guess import guess
from archive.samples import encode
from benchmarks.harness.report import print_result, print_table

PACKAGES: Final = {
    "speech": ("tuxpaint-stamps-default", "asterisk-prompt-it-menardi-wav"),
    "music": ("zaz-data", "trackballs-data", "davegnukem-data", "singularity-music"),
}
COMMON_HZ: Final = (8000, 16_000, 44_100, 48_000)
LEAST_S: Final = {"speech": 2.0, "music": 15.0}
"""Music is at least so long: shorter files are sounds of doors and balls."""
CACHE: Final = Path.home() / ".cache" / "ag06-mixer" / "sounds"
_ENDINGS: Final = (".wav", ".ogg", ".flac")
_NAMES: Final = [name for name, one in ENCODINGS.items() if "law" not in one.kind]
_QUIET: Final = 0.003

Sound = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Trial:
    """One buffer and what became of it."""

    kind: str
    truth: SampleFormat
    encoding: bool
    rate_first: bool
    rate_second: bool

    @property
    def is_common(self) -> bool:
        """Whether its rate is one of those in common use."""
        return self.truth.rate_hz in COMMON_HZ


def files_of(package: str, cache: Path) -> list[Path]:
    """Return the recordings of a Debian package, fetched where they are not there.

    Raises:
        RuntimeError: it can neither be found nor fetched.
    """
    folder = cache / package
    if not folder.is_dir():
        if not (shutil.which("apt-get") and shutil.which("dpkg")):
            raise RuntimeError(f"{package} is fetched with apt-get and dpkg, which are not here")
        cache.mkdir(parents=True, exist_ok=True)
        print(f"fetching {package}", file=sys.stderr)
        subprocess.run(["apt-get", "download", package], cwd=cache, check=True, stdout=sys.stderr)
        [archive] = cache.glob(f"{package}_*.deb")
        subprocess.run(["dpkg", "-x", archive, folder], check=True)
        archive.unlink()
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS)
    if package == "tuxpaint-stamps-default":
        found = [path for path in found if "_desc" in path.name]
    return found


def one_trial(kind: str, file: Path, draw: random.Random, common: bool) -> Trial | None:
    """Recognise a part of a file; None where it is too short, too soft or of too low a rate."""
    info = soundfile.info(file)
    rates = [rate for rate in (COMMON_HZ if common else RATES_HZ) if rate <= info.samplerate]
    if info.samplerate == 44_100:
        rates.append(48_000)  # as sound cards and browsers make it
    if info.duration < LEAST_S[kind] or not rates:
        return None
    seconds = min(info.duration, draw.uniform(4, 8))
    start = draw.uniform(0, info.duration - seconds)
    sound, _ = soundfile.read(
        file,
        frames=int(seconds * info.samplerate),
        start=int(start * info.samplerate),
        always_2d=True,
        dtype="float32",
    )
    rate_hz, encoding = draw.choice(rates), ENCODINGS[draw.choice(_NAMES)]
    if sound.shape[1] == 1 or draw.random() < 0.5:
        sound = sound.mean(axis=1, keepdims=True)
    sound = sound[:, :2]
    if float(np.sqrt(np.square(sound).mean())) < _QUIET:
        return None
    if rate_hz != info.samplerate:
        sound = soxr.resample(sound, info.samplerate, rate_hz)
    truth = SampleFormat(encoding, rate_hz, sound.shape[1])
    found = guess(encode(sound, encoding)).candidates
    best = found[0].format
    right = (best.encoding, best.channels) == (truth.encoding, truth.channels)
    rates_found = [
        one.format.rate_hz
        for one in found
        if (one.format.encoding, one.format.channels) == (best.encoding, best.channels)
    ]
    return Trial(kind, truth, right, rates_found[0] == rate_hz, rate_hz in rates_found[:2])


def trials(buffers: int, cache: Path, seed: int) -> list[Trial]:
    """Return so many trials, half speech and half music."""
    draw = random.Random(seed)
    files = {
        kind: {package: files_of(package, cache) for package in packages}
        for kind, packages in PACKAGES.items()
    }
    made: list[Trial] = []
    while len(made) < buffers:
        kind = ("speech", "music")[len(made) % 2]
        package = draw.choice(list(files[kind]))
        trial = one_trial(kind, draw.choice(files[kind][package]), draw, len(made) % 4 < 2)
        if trial is not None:
            made.append(trial)
    return made


def shares(made: Sequence[Trial]) -> dict[str, float | int]:
    """Return the figures of some trials."""
    common = [one for one in made if one.is_common]

    def share(flags: Sequence[bool]) -> float:
        return round(float(np.mean(flags)), 4) if flags else 0.0

    return {
        "buffers": len(made),
        "encoding_and_channels": share([one.encoding for one in made]),
        "common_rates": len(common),
        "common_rate_first": share([one.rate_first for one in common]),
        "common_rate_among_two": share([one.rate_second for one in common]),
        "any_rate_first": share([one.rate_first for one in made]),
        "any_rate_among_two": share([one.rate_second for one in made]),
        "even_rates_among_two": round(_even(made), 4),
    }


def _even(made: Sequence[Trial]) -> float:
    """Return how often a rate is among the first two where all eight are equally frequent."""
    found: dict[int, list[bool]] = {}
    for one in made:
        found.setdefault(one.truth.rate_hz, []).append(one.rate_second)
    return float(np.mean([np.mean(flags) for flags in found.values()]))


def noise_confidence(seed: int) -> float:
    """Return the highest confidence in 50 buffers of noise."""
    random_bytes = np.random.default_rng(seed)
    found = [guess(random_bytes.bytes(100_000)).candidates for _ in range(50)]
    return max(one.encoding_confidence for candidates in found for one in candidates)


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--buffers", type=int, default=520)
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    made = trials(given.buffers, given.cache, given.seed)
    rows = [
        (kind, *shares([one for one in made if one.kind == kind]).values()) for kind in PACKAGES
    ]
    columns = ["", *shares(made)]
    print_table("raw samples recognised", columns, [*rows, ("all", *shares(made).values())])
    figures = {**shares(made), "noise_confidence_max": round(noise_confidence(given.seed), 3)}
    print_result("pcm_guess", figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
