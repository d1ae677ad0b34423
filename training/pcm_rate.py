"""Train the networks that tell the sample rate of raw sound, `archive/rate_model.npz`.

    python -m training.pcm_rate make train.npz --sounds DIR --count 8000 --seed 1 [--music 0.68]
    python -m training.pcm_rate fit train.npz … --out archive/rate_model.npz
    python -m training.pcm_rate sum train.npz … --out archive/rate_model.npz

`make` draws sounds as `training.pcm_sounds` says and keeps what the networks know of them: features
and a picture. `fit` trains three networks on the features, one that sees the picture besides, and
those that know what it shows in numbers, and writes their weights. `sum` trains the last kind only
and keeps the weights of the others. It needs PyTorch (`pip install torch==2.13.0`), which nothing
else here does. Never use the recordings of the benchmark. What the present weights were trained on
stands in `PCM_RATE_CARD.md`.
"""

import argparse
import itertools
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from archive.encodings import RATES_HZ
from archive.rate_features import FEATURES, features
from archive.rate_network import FRAMES
from archive.rate_picture import BANDS, HOP, picture
from archive.rate_summary import summary
from training.pcm_sounds import examples

Arrays = dict[str, npt.NDArray[Any]]

_STEPS_PER_DB: Final = 2
_LEAST_DB: Final = -110.0
_DB: Final = 10.0
_SEEING_EPOCHS: Final = 17
_MAPS: Final = (2, 12, 20, 28, 40, 48)
SIZES: Final = (5, 3, 3, 3, 3)
STRIDES: Final = ((2, 2), (1, 2), (2, 2), (1, 2), (2, 2))
_POOLED: Final = 2 * _MAPS[-1] * -(-BANDS // 8)
_INNER: Final = 96
_OUTER: Final = 64
_SHORTEST: Final = 96
_NEAR_OCTAVES: Final = 0.25


@dataclass(frozen=True, slots=True)
class _Lesson:
    """How a network on numbers is built and taught.

    Attributes:
        hidden: Sizes of its layers.
        epochs: How often it is shown everything.
        dropout: How many of a layer's values are left out.
        noise: What is added to numbers, in deviations.
        decay: Of weights.
        missing: How many numbers are left out.
    """

    hidden: tuple[int, ...]
    epochs: int = 18
    dropout: float = 0.35
    noise: float = 0.15
    decay: float = 0.03
    missing: float = 0.1


_COUNTING: Final = (_Lesson((192,)), _Lesson((256, 96)), _Lesson((192,)))
_SUMMING: Final = (
    _Lesson((256, 96), epochs=10, noise=0.3, decay=0.2),
    _Lesson((256, 96), epochs=8, decay=0.1),
)


def make(sounds: Path, count: int, seed: int, music: float) -> Arrays:
    """Return features, pictures (half decibels from -110), their lengths, and rates by number."""
    draw = np.random.default_rng(seed)
    numbers = np.zeros((count, FEATURES), np.float32)
    pictures = np.zeros((count, FRAMES, BANDS), np.uint8)
    lengths, rates = np.zeros(count, np.int32), np.zeros(count, np.int64)
    for row, one in enumerate(itertools.islice(examples(sounds, music, seed), count)):
        room = len(one.sound) - FRAMES * HOP
        start = int(draw.integers(0, room)) if room > 0 else 0
        seen = picture(one.sound[start : start + FRAMES * HOP], FRAMES)
        numbers[row] = features(one.sound.astype(np.float64))
        pictures[row, : len(seen)] = (seen - _LEAST_DB) * _STEPS_PER_DB
        lengths[row], rates[row] = len(seen), RATES_HZ.index(one.rate_hz)
    return {"numbers": numbers, "pictures": pictures, "lengths": lengths, "rates": rates}


def fit(made: Arrays, seed: int = 10) -> Arrays:
    """Return the weights of all networks, named as `archive.rate_network` reads them."""
    _prepare()
    weights: Arrays = {}
    for number, lesson in enumerate(_COUNTING):
        name = f"counting_{number}"
        weights |= _numbered(made["numbers"], made["rates"], lesson, name, seed + number)
    return kept(weights | _seeing(made, seed)) | fit_sums(made)


def fit_sums(made: Arrays, seed: int = 0) -> Arrays:
    """Return the weights of the networks that know what pictures show in numbers."""
    _prepare()
    both = np.hstack([made["numbers"], _summaries(made)])
    weights: Arrays = {}
    for number, lesson in enumerate(_SUMMING):
        weights |= _numbered(both, made["rates"], lesson, f"summing_{number}", seed + 3 * number)
    return kept(weights)


def _prepare() -> None:
    import torch

    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)


def kept(weights: Arrays) -> Arrays:
    """Return weights as they are stored: layers in half precision."""
    exact = ("mean", "scale")
    return {
        name: value.astype(np.float32 if name.endswith(exact) else np.float16)
        for name, value in weights.items()
    }


def _summaries(made: Arrays) -> npt.NDArray[np.float32]:
    """Return what each picture shows; short ones are repeated, as they are for a guess."""
    found = []
    for seen, length in zip(made["pictures"], made["lengths"], strict=True):
        look = np.resize(seen[:length], (FRAMES, BANDS)) / _STEPS_PER_DB + _LEAST_DB
        found.append(summary((look / _DB).astype(np.float32)))
    return np.stack(found)


def _scaled(numbers: npt.NDArray[np.float32]) -> tuple[Any, Arrays]:
    import torch

    mean, scale = numbers.mean(axis=0), numbers.std(axis=0) + 1e-6
    inputs = np.clip((numbers - mean) / scale, -5, 5).astype(np.float32)
    return torch.from_numpy(inputs), {"mean": mean, "scale": scale}


def _numbered(
    numbers: npt.NDArray[np.float32],
    rates: npt.NDArray[np.int64],
    lesson: _Lesson,
    name: str,
    seed: int,
) -> Arrays:
    """Train a network on numbers alone."""
    import torch
    from torch import nn
    from torch.nn import functional

    torch.manual_seed(seed)
    inputs, normal = _scaled(numbers)
    targets = torch.from_numpy(rates)
    layers: list[Any] = []
    for before, after in itertools.pairwise((inputs.shape[1], *lesson.hidden)):
        layers += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU()]
        layers += [nn.Dropout(lesson.dropout)]
    network = nn.Sequential(*layers, nn.Linear(lesson.hidden[-1], len(RATES_HZ)))
    batch = 128
    rounds = lesson.epochs * (len(inputs) // batch)
    adam = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=lesson.decay)
    speed = torch.optim.lr_scheduler.OneCycleLR(adam, 3e-3, total_steps=rounds)
    for _ in range(lesson.epochs):
        for chosen in torch.randperm(len(inputs)).split(batch)[: len(inputs) // batch]:
            shown = inputs[chosen]
            shown = shown * (torch.rand_like(shown) > lesson.missing)
            shown = shown + lesson.noise * torch.randn_like(shown)
            loss = functional.cross_entropy(network(shown), targets[chosen], label_smoothing=0.05)
            adam.zero_grad()
            loss.backward()
            adam.step()
            speed.step()
    found: Arrays = {f"{name}|{key}": value for key, value in normal.items()}
    for number, layer in enumerate(one for one in network if isinstance(one, nn.Linear)):
        follower = network[number * 4 + 1] if number < len(lesson.hidden) else None
        kernel, bias = _folded(layer, follower)
        found |= {f"{name}|kernel_{number}": kernel, f"{name}|bias_{number}": bias}
    return found


def _seeing(made: Arrays, seed: int) -> Arrays:
    """Train the network on pictures and features."""
    import torch
    from torch import nn
    from torch.nn import functional

    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    inputs, normal = _scaled(made["numbers"])
    parts = nn.ModuleDict(
        {f"convolution_{n}": nn.Sequential(*_convolution(n)) for n in range(len(SIZES))}
        | {
            "seen": nn.Sequential(nn.Linear(_POOLED, _INNER), nn.BatchNorm1d(_INNER)),
            "counted": nn.Sequential(nn.Linear(FEATURES, _INNER), nn.BatchNorm1d(_INNER)),
            "both": nn.Linear(2 * _INNER, _OUTER),
            "last": nn.Linear(_OUTER, len(RATES_HZ)),
            "last_seen": nn.Linear(_INNER, len(RATES_HZ)),
            "last_counted": nn.Linear(_INNER, len(RATES_HZ)),
        }
    )

    def opinions(seen: Any, numbers: Any) -> tuple[Any, Any, Any]:
        maps = seen
        for number in range(len(SIZES)):
            maps = functional.relu(parts[f"convolution_{number}"](maps))
        pooled = torch.cat([maps.mean(3), maps.amax(3)], 1).flatten(1)
        seen = functional.relu(parts["seen"](functional.dropout(pooled, 0.3)))
        counted = functional.relu(parts["counted"](functional.dropout(numbers, 0.15)))
        joined = functional.dropout(torch.cat([seen, counted], 1), 0.3)
        both = parts["last"](functional.relu(parts["both"](joined)))
        alone = parts["last_seen"](functional.dropout(seen, 0.3))
        return both, alone, parts["last_counted"](functional.dropout(counted, 0.3))

    batch, count = 64, len(inputs)
    targets = torch.from_numpy(near())[torch.from_numpy(made["rates"])]
    adam = torch.optim.AdamW(parts.parameters(), 2e-3, weight_decay=0.02)
    rounds = _SEEING_EPOCHS * (count // batch)
    speed = torch.optim.lr_scheduler.OneCycleLR(adam, 2e-3, total_steps=rounds, pct_start=0.15)
    for _ in range(_SEEING_EPOCHS):
        order = draw.permutation(count)
        for begin in range(0, count - batch + 1, batch):
            chosen = order[begin : begin + batch]
            numbers = inputs[chosen] + 0.1 * torch.randn(batch, FEATURES)
            found = opinions(torch.from_numpy(looks(made, chosen, draw)), numbers)
            losses = [-(targets[chosen] * one.log_softmax(1)).sum(1).mean() for one in found]
            adam.zero_grad()
            (losses[0] + 0.5 * losses[1] + 0.5 * losses[2]).backward()
            adam.step()
            speed.step()
    weights: Arrays = {f"seeing|{key}": value for key, value in normal.items()}
    for name, part in parts.items():
        if not name.startswith("last_"):  # those only help to train
            first, follower = (
                (part[0], part[1]) if isinstance(part, nn.Sequential) else (part, None)
            )
            weights[f"{name}|kernel"], weights[f"{name}|bias"] = _folded(first, follower)
    return weights


def _convolution(number: int) -> list[Any]:
    from torch import nn

    before, after, size = _MAPS[number], _MAPS[number + 1], SIZES[number]
    convolution = nn.Conv2d(before, after, size, STRIDES[number], size // 2, bias=False)
    return [convolution, nn.BatchNorm2d(after)]


def near() -> npt.NDArray[np.float32]:
    """Return targets: nine parts the rate, one part those near it."""
    octaves = np.log2(RATES_HZ)
    close = np.exp(-0.5 * ((octaves[:, None] - octaves) / _NEAR_OCTAVES) ** 2)
    shares = 0.9 * np.eye(len(RATES_HZ)) + 0.1 * close / close.sum(axis=1, keepdims=True)
    targets: npt.NDArray[np.float32] = shares.astype(np.float32)
    return targets


def looks(
    made: Arrays, chosen: npt.NDArray[np.int64], draw: np.random.Generator, most: int = FRAMES
) -> npt.NDArray[np.float32]:
    """Return parts of pictures (n, 2, BANDS, frames), each in another room's colour."""
    frames = int(draw.integers(_SHORTEST, most + 1))
    parts = np.empty((len(chosen), frames, BANDS), np.float32)
    for row, number in enumerate(chosen):
        length = int(made["lengths"][number])
        start = int(draw.integers(0, max(0, length - frames) + 1))
        part = made["pictures"][number, start : min(length, start + frames)]
        parts[row] = np.resize(part, (frames, BANDS))
    places = np.linspace(0, 5, BANDS)
    for row in range(len(parts)):
        parts[row] += np.interp(places, np.arange(6), draw.normal(0, 6, 6))
        if draw.random() < 0.5:
            parts[row] = np.maximum(parts[row], draw.uniform(20, 80))
        if draw.random() < 0.5:
            band = int(draw.integers(0, BANDS - 6))
            parts[row, :, band : band + int(draw.integers(1, 9))] = parts[row].mean()
    level = parts.transpose(0, 2, 1) / (_STEPS_PER_DB * _DB)
    level = level - level.mean(axis=(1, 2), keepdims=True)
    return np.stack([level, level - level.mean(axis=2, keepdims=True)], axis=1)


def _folded(layer: Any, follower: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return a layer's weights together with those of the normalisation that follows it."""
    kernel = layer.weight.detach().double().numpy()
    bias = np.zeros(len(kernel)) if layer.bias is None else layer.bias.detach().double().numpy()
    if follower is None:
        return kernel, bias
    spread = np.sqrt(follower.running_var.double().numpy() + follower.eps)
    factor = follower.weight.detach().double().numpy() / spread
    offset = follower.bias.detach().double().numpy() - factor * follower.running_mean.numpy()
    return kernel * factor.reshape(-1, *[1] * (kernel.ndim - 1)), bias * factor + offset


def main() -> int:
    """Run one of the steps."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    steps = parser.add_subparsers(dest="step", required=True)
    making = steps.add_parser("make")
    making.add_argument("out", type=Path)
    making.add_argument("--sounds", type=Path, required=True)
    making.add_argument("--count", type=int, default=8000)
    making.add_argument("--seed", type=int, default=1)
    making.add_argument("--music", type=float, default=0.68)
    for step in ("fit", "sum"):
        fitting = steps.add_parser(step)
        fitting.add_argument("made", type=Path, nargs="+")
        fitting.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    if given.step == "make":
        arrays: dict[str, Any] = make(given.sounds, given.count, given.seed, given.music)
        np.savez_compressed(given.out, **arrays)
        return 0
    loaded = [np.load(path) for path in given.made]
    made = {name: np.concatenate([one[name] for one in loaded]) for name in loaded[0].files}
    is_whole = given.step == "fit"
    weights: dict[str, Any] = fit(made) if is_whole else {**np.load(given.out), **fit_sums(made)}
    np.savez_compressed(given.out, **weights)
    return 0


if __name__ == "__main__":
    sys.exit(main())
