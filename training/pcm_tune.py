"""Teach the network that sees pictures of sound from more sounds, starting at what it knows.

    python -m training.pcm_tune train.npz … --weights archive/rate_model.npz --epochs 4 --speed 1e-3

Takes a fraction of the time of training it anew. Normalisation stays folded into the weights. Like
`training.pcm_rate`, whose `make` draws the sounds, it needs PyTorch.
"""

import argparse
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch.nn import functional

from training.pcm_rate import SIZES, STRIDES, Arrays, kept, looks, near

_BATCH: Final = 64
_LONGEST: Final = 256
_FURTHEST: Final = 5


def tune(made: Arrays, weights: Arrays, epochs: int, speed: float, seed: int) -> Arrays:
    """Return the weights of the network that sees, after so many more epochs."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    parts = {
        name: torch.nn.Parameter(torch.from_numpy(value.astype(np.float32)))
        for name, value in weights.items()
        if "|kernel" in name or "|bias" in name
        if not name.startswith(("counting_", "summing_"))
    }
    off = (made["numbers"] - weights["seeing|mean"]) / weights["seeing|scale"]
    inputs = torch.from_numpy(np.clip(off, -_FURTHEST, _FURTHEST).astype(np.float32))
    targets = torch.from_numpy(near())[torch.from_numpy(made["rates"])]
    adam = torch.optim.AdamW(parts.values(), speed, weight_decay=0.02)
    batches = len(inputs) // _BATCH
    pace = torch.optim.lr_scheduler.OneCycleLR(
        adam, speed, total_steps=epochs * batches, pct_start=0.1
    )
    for _ in range(epochs):
        order = draw.permutation(len(inputs))
        for chosen in np.split(order[: batches * _BATCH], batches):
            seen = torch.from_numpy(looks(made, chosen, draw, _LONGEST))
            numbers = inputs[chosen] + 0.1 * torch.randn(_BATCH, inputs.shape[1])
            opinion = _opinion(parts, seen, numbers).log_softmax(1)
            loss = -(targets[chosen] * opinion).sum(1).mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
            pace.step()
    return kept({name: part.detach().numpy() for name, part in parts.items()})


def _opinion(parts: dict[str, Any], maps: Any, numbers: Any) -> Any:
    def dense(name: str, values: Any, dropped: float) -> Any:
        values = functional.dropout(values, dropped)
        return functional.linear(values, parts[f"{name}|kernel"], parts[f"{name}|bias"])

    for number, (size, stride) in enumerate(zip(SIZES, STRIDES, strict=True)):
        kernel, bias = (parts[f"convolution_{number}|{part}"] for part in ("kernel", "bias"))
        maps = functional.relu(functional.conv2d(maps, kernel, bias, stride, size // 2))
    pooled = torch.cat([maps.mean(3), maps.amax(3)], 1).flatten(1)
    seen = functional.relu(dense("seen", pooled, 0.3))
    counted = functional.relu(dense("counted", numbers, 0.15))
    both = functional.relu(dense("both", torch.cat([seen, counted], 1), 0.3))
    return dense("last", both, 0.0)


def main() -> int:
    """Teach it, and write all weights back."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("made", type=Path, nargs="+")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--speed", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    loaded = [np.load(path) for path in given.made]
    made = {name: np.concatenate([one[name] for one in loaded]) for name in loaded[0].files}
    weights = dict(np.load(given.weights))
    tuned = tune(made, weights, given.epochs, given.speed, given.seed)
    found: dict[str, Any] = {**weights, **tuned}
    np.savez_compressed(given.weights, **found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
