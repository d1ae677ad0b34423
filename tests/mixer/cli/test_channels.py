"""From many channels to two and one."""

import numpy as np
import pytest

from mixer.cli.channels import MOST_CHANNELS, to_mono, to_stereo

HALF = 0.5**0.5


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        (1, [[1, 1]]),
        (2, [[1, 0], [0, 1]]),
        (3, [[1, 0], [0, 1], [HALF, HALF]]),
        (4, [[1, 0], [0, 1], [HALF, 0], [0, HALF]]),
        (5, [[1, 0], [0, 1], [HALF, HALF], [HALF, 0], [0, HALF]]),
        (6, [[1, 0], [0, 1], [HALF, HALF], [0, 0], [HALF, 0], [0, HALF]]),
        (8, [[1, 0], [0, 1], [HALF, HALF], [0, 0], [HALF, 0], [0, HALF], [HALF, 0], [0, HALF]]),
    ],
)
def test_each_speaker_goes_where_the_recommendation_says(
    channels: int, expected: list[list[float]]
) -> None:
    assert to_stereo(np.eye(channels, dtype=np.float32)) == pytest.approx(np.array(expected))


def test_every_width_keeps_left_and_right_apart() -> None:
    for channels in range(2, MOST_CHANNELS + 1):
        left, right = to_stereo(np.eye(channels, dtype=np.float32)[:2])
        assert (left == [1, 0]).all()
        assert (right == [0, 1]).all()


def test_mono_is_the_mean() -> None:
    assert to_mono(np.array([[1.0, 0.5]], np.float32)) == pytest.approx(np.array([[0.75]]))
