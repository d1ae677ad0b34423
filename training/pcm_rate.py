"""Train the network that tells the sample rate of raw sound, `archive/rate_model.npz`.

    python -m training.pcm_rate make train.npz --sounds DIR --count 8000 --seed 1
    python -m training.pcm_rate fit train.npz … --out archive/rate_model.npz

`make` takes parts of recordings (WAV, Ogg or FLAC files in DIR/speech/SOURCE and DIR/music/SOURCE;
a source counts as the root of its files' number, and speech is joined from several files), at times
faster or slower (music mostly by whole semitones, as its tuning tells the rate), low-passed, noisy
or coarse, resamples them to a rate that the recording can have, and computes the features. `fit`
trains a network of one hidden layer on them. Never use the recordings of the benchmark.

The present weights: 23,200 rows (seeds 1 to 5, 11 and 12) of the recordings, music from 15 s on, in
Debian's 0ad-data, adonthell-data, asterisk-core-sounds-en-wav, asterisk-core-sounds-es-wav,
asterisk-core-sounds-fr-wav, asterisk-core-sounds-ru-wav, asterisk-moh-opsound-wav, berusky2-data,
boswars-data, brainparty-data, btanks-data, caveexpress-data, cavepacker-data,
colobot-common-sounds, extremetuxracer-data, festvox-ru, fillets-ng-data, fillets-ng-data-cs,
fillets-ng-data-nl, freedroidrpg-data, freeorion-data, fretsonfire-songs-muldjord,
fretsonfire-songs-sectoid, funnyboat, gcin-voice, hedgewars-data, hex-a-hop-data,
holotz-castle-data, klettres-data, ktuberling-data, lincity-ng-data, lordsawar-data, lugaru-data,
megaglest-data, nexuiz-music, openarena-088-data, performous, powermanga-data, redeclipse-data,
scorched3d-data, starfighter-data, supertux-data, supertuxkart-data, toppler, tuxfootball,
tuxmath-data, tuxtype-data, ufoai-music, unknown-horizons, warmux-data, wesnoth-1.16-music,
widelands-data, wing-data, xmoto-data.
"""

import argparse
import random
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.signal
import soundfile
import soxr

from archive.encodings import RATES_HZ
from archive.rate_features import features

Values = npt.NDArray[np.float64]

_KINDS: Final = {"speech": 0.4, "music": 0.6}  # and how often; music is the harder
_HIDDEN: Final = 128
_EPOCHS: Final = 30
_BATCH: Final = 128
_DECAY: Final = 2e-3
_DROPOUT: Final = 0.3
_SMOOTHING: Final = 0.05


def make_features(sounds: Path, count: int, seed: int) -> tuple[Values, npt.NDArray[np.int64]]:
    """Return features (count, FEATURES) and indices of their rates (count,)."""
    draw, noise = random.Random(seed), np.random.default_rng(seed)
    sources = {kind: _sources(sounds / kind) for kind in _KINDS}
    rows: list[Values] = []
    rates: list[int] = []
    while len(rows) < count:
        kind = draw.choices(list(_KINDS), list(_KINDS.values()))[0]
        weights = [len(files) ** 0.5 for files in sources[kind]]
        files = draw.choices(sources[kind], weights)[0]
        sound, rate_hz = _part(draw.choice(files), kind, draw)
        possible = [rate for rate in RATES_HZ if rate <= rate_hz]
        if rate_hz == 44_100:
            possible.append(48_000)
        if len(sound) < 2.5 * rate_hz or not possible or float(np.std(sound)) < 0.003:
            continue
        target = draw.choice(possible)
        sound = _altered(sound, rate_hz, kind, draw, noise)
        if target != rate_hz:
            sound = soxr.resample(sound, rate_hz, target)
        bits = draw.choice((8, 16, 16, 24))
        gain = 10 ** draw.uniform(-0.5, 0.3)
        rows.append(features(np.rint(sound * gain * 2 ** (bits - 1)) / 2 ** (bits - 1)))
        rates.append(RATES_HZ.index(target))
    return np.array(rows), np.array(rates)


def _sources(folder: Path) -> list[list[Path]]:
    """Return the recordings of each source."""
    found = (sorted(one for one in source.iterdir()) for source in sorted(folder.iterdir()))
    return [files for files in found if files]


def _part(file: Path, kind: str, draw: random.Random) -> tuple[Values, int]:
    """Return 4 to 10 s of a file, mono; of speech some of its neighbours, too."""
    wanted_s = draw.uniform(4, 10)
    neighbours = [file]
    if kind == "speech":
        alike = sorted(file.parent.iterdir())
        neighbours += draw.sample(alike, min(12, len(alike)))
    parts: list[Values] = []
    rate_hz = soundfile.info(file).samplerate
    for one in neighbours:
        info = soundfile.info(one)
        if info.samplerate != rate_hz:
            continue
        frames = int(wanted_s * rate_hz)
        start = draw.randrange(max(1, info.frames - frames))
        sound, _ = soundfile.read(one, frames, start, always_2d=True)
        parts += [sound.mean(axis=1), np.zeros(int(draw.uniform(0, 0.5) * rate_hz))]
        if sum(map(len, parts)) >= frames:
            break
    joined: Values = np.concatenate(parts)[: int(wanted_s * rate_hz)]
    return joined, rate_hz


def _altered(
    sound: Values, rate_hz: int, kind: str, draw: random.Random, noise: np.random.Generator
) -> Values:
    """Return a sound as another voice, codec or microphone might have made it."""
    if draw.random() < 0.4:
        speed = draw.uniform(0.9, 1.12)
        if kind == "music" and draw.random() < 0.6:
            speed = 2 ** ((draw.choice((-2, -1, 1, 2)) + draw.gauss(0, 0.04)) / 12)
        sound = soxr.resample(sound, rate_hz * 1000, int(rate_hz * 1000 / speed))
    if draw.random() < 0.35 and rate_hz >= 44_100:
        cut = scipy.signal.butter(12, draw.uniform(9000, 20_500), fs=rate_hz, output="sos")
        sound = scipy.signal.sosfiltfilt(cut, sound)
    if draw.random() < 0.3:
        sound = sound + 10 ** draw.uniform(-5, -2.5) * noise.standard_normal(len(sound))
    return sound


def fit(rows: Values, rates: npt.NDArray[np.int64], seed: int = 0) -> dict[str, Values]:
    """Return the weights, named as `archive.guess_rate` reads them."""
    draw = np.random.default_rng(seed)
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    inputs = np.clip((rows - mean) / scale, -5, 5)
    size, kinds = inputs.shape[1], len(RATES_HZ)
    weights = [
        draw.normal(0, np.sqrt(2 / size), (size, _HIDDEN)),
        np.zeros(_HIDDEN),
        draw.normal(0, np.sqrt(1 / _HIDDEN), (_HIDDEN, kinds)),
        np.zeros(kinds),
    ]
    first = [np.zeros_like(one) for one in weights]
    second = [np.zeros_like(one) for one in weights]
    targets = np.eye(kinds) * (1 - _SMOOTHING) + _SMOOTHING / kinds
    step = 0
    for epoch in range(_EPOCHS):
        speed = 2e-3 * (1 - epoch / _EPOCHS)
        order = draw.permutation(len(inputs))
        for begin in range(0, len(order), _BATCH):
            chosen = order[begin : begin + _BATCH]
            shown = inputs[chosen] * (draw.random((len(chosen), size)) > 0.1)
            shown += draw.normal(0, 0.1, shown.shape)
            active = np.maximum(shown @ weights[0] + weights[1], 0)
            kept = (draw.random(active.shape) > _DROPOUT) / (1 - _DROPOUT)
            scores = (active * kept) @ weights[2] + weights[3]
            shares = np.exp(scores - scores.max(axis=1, keepdims=True))
            shares /= shares.sum(axis=1, keepdims=True)
            error = (shares - targets[rates[chosen]]) / len(chosen)
            back = (error @ weights[2].T) * kept * (active > 0)
            slopes = [
                shown.T @ back + _DECAY * weights[0],
                back.sum(axis=0),
                (active * kept).T @ error + _DECAY * weights[2],
                error.sum(axis=0),
            ]
            step += 1
            for number, slope in enumerate(slopes):  # Adam (Kingma and Ba, 2015)
                first[number] = 0.9 * first[number] + 0.1 * slope
                second[number] = 0.999 * second[number] + 0.001 * slope**2
                unbiased = first[number] / (1 - 0.9**step)
                spread = np.sqrt(second[number] / (1 - 0.999**step)) + 1e-8
                weights[number] -= speed * unbiased / spread
    names = ("hidden", "hidden_bias", "output", "output_bias")
    return {"mean": mean, "scale": scale, **dict(zip(names, weights, strict=True))}


def main() -> int:
    """Run one of the two steps."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    steps = parser.add_subparsers(dest="step", required=True)
    make = steps.add_parser("make")
    make.add_argument("out", type=Path)
    make.add_argument("--sounds", type=Path, required=True)
    make.add_argument("--count", type=int, default=8000)
    make.add_argument("--seed", type=int, default=1)
    train = steps.add_parser("fit")
    train.add_argument("made", type=Path, nargs="+")
    train.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    if given.step == "make":
        rows, rates = make_features(given.sounds, given.count, given.seed)
        np.savez(given.out, rows=rows.astype(np.float32), rates=rates)
        return 0
    loaded = [np.load(path) for path in given.made]
    rows = np.concatenate([one["rows"] for one in loaded]).astype(np.float64)
    rates = np.concatenate([one["rates"] for one in loaded])
    stored: dict[str, Any] = {k: v.astype(np.float32) for k, v in fit(rows, rates).items()}
    np.savez_compressed(given.out, **stored)
    return 0


if __name__ == "__main__":
    sys.exit(main())
