"""Multinomial logistic regression with L2 and sample weights, by L-BFGS: no chance involved."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.optimize

Values = npt.NDArray[np.float64]

_FARTHEST = 5.0


@dataclass(frozen=True, slots=True)
class Linear:
    """A trained map; logits are `clip((x - mean) * scale) @ weights + bias`."""

    mean: Values
    scale: Values
    weights: Values
    bias: Values

    def logits(self, rows: npt.NDArray[np.float32]) -> Values:
        """Return logits (n, classes)."""
        standard = np.clip((rows - self.mean) * self.scale, -_FARTHEST, _FARTHEST)
        logits: Values = standard @ self.weights + self.bias
        return logits

    def log_probabilities(self, rows: npt.NDArray[np.float32]) -> Values:
        """Return normalised log probabilities."""
        return log_softmax(self.logits(rows))

    def cooled(self, temperature: float) -> "Linear":
        """Return the same with all logits divided by a temperature."""
        return Linear(self.mean, self.scale, self.weights / temperature, self.bias / temperature)


def log_softmax(logits: Values) -> Values:
    """Normalise rows of logits."""
    logits = logits - logits.max(axis=1, keepdims=True)
    logs: Values = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return logs


def train(
    rows: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int64],
    weights: Values,
    classes: int,
    penalty: float | Values,
    smoothing: float = 0.05,
) -> Linear:
    """Fit a map.

    Args:
        rows: (n, features).
        labels: (n,), 0 to `classes` - 1.
        weights: (n,), of mean 1.
        classes: How many there are.
        penalty: Of squared weights, per sample; one for all features or one for each.
        smoothing: Share of each target that is spread over all classes.
    """
    share = weights / weights.sum()
    mean = share @ rows
    deviation = np.sqrt(share @ (rows - mean) ** 2)
    scale = 1.0 / np.maximum(deviation, 1e-3)
    standard = np.clip((rows - mean) * scale, -_FARTHEST, _FARTHEST).astype(np.float32)
    targets = np.full((len(rows), classes), smoothing / classes)
    targets[np.arange(len(rows)), labels] += 1 - smoothing
    targets = targets.astype(np.float32)
    penalties = np.broadcast_to(np.asarray(penalty, np.float64), rows.shape[1])[:, None]
    features = rows.shape[1]

    def loss(flat: Values) -> tuple[float, Values]:
        weights_, bias = flat[:-classes].reshape(features, classes), flat[-classes:]
        logs = log_softmax((standard @ weights_.astype(np.float32) + bias).astype(np.float64))
        value = -(share[:, None] * targets * logs).sum() + 0.5 * (penalties * weights_**2).sum()
        error = (share[:, None] * (np.exp(logs) - targets)).astype(np.float32)
        gradient = standard.T @ error + penalties * weights_
        return float(value), np.concatenate([gradient.ravel(), error.sum(axis=0)]).astype(
            np.float64
        )

    start = np.zeros((features + 1) * classes)
    fitted = scipy.optimize.minimize(
        loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 150, "maxfun": 200}
    ).x
    return Linear(mean, scale, fitted[:-classes].reshape(features, classes), fitted[-classes:])
