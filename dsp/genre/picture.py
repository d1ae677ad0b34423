"""A timeline as a picture: how likely each class was at each moment, one on top of the other."""

from collections.abc import Sequence
from html import escape
from typing import Final

from dsp.genre.labels import CLASSES
from dsp.genre.whole import Moment

_COLOURS: Final = {
    "speech": "#4477aa",
    "rock": "#cc3344",
    "jazz": "#ddaa33",
    "electronic": "#aa66bb",
    "classical": "#228844",
}
_LEFT: Final = 48
_TOP: Final = 56
_WIDTH: Final = 900
_HEIGHT: Final = 180
_BAND: Final = 18
_TICKS_S: Final = (1, 2, 5, 10, 30, 60, 120, 300, 600)


def timeline_svg(title: str, moments: Sequence[Moment]) -> str:
    """Return an SVG: shares of the classes over time, and below them what it was called."""
    end_s = max((each.time_s for each in moments), default=1.0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 16} '
        f'{_TOP + _HEIGHT + _BAND + 48}" font-family="sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{_LEFT}" y="22" font-size="16">{escape(title)}</text>',
    ]
    parts += [_legend(number, name) for number, name in enumerate(CLASSES)]
    parts += [_area(moments, number, end_s) for number in range(len(CLASSES))]
    parts.append(
        f'<rect x="{_LEFT}" y="{_TOP}" width="{_WIDTH}" height="{_HEIGHT}" fill="none" '
        'stroke="#888"/>'
    )
    parts += _labels(moments, end_s)
    parts += _axis(end_s)
    return "\n".join([*parts, "</svg>", ""])


def _x(time_s: float, end_s: float) -> float:
    return round(_LEFT + _WIDTH * time_s / end_s, 1)


def _y(share: float) -> float:
    return round(_TOP + _HEIGHT * (1.0 - share), 1)


def _legend(number: int, name: str) -> str:
    x = _LEFT + 110 * number
    return (
        f'<rect x="{x}" y="34" width="12" height="12" fill="{_COLOURS[name]}"/>'
        f'<text x="{x + 17}" y="45">{name}</text>'
    )


def _area(moments: Sequence[Moment], number: int, end_s: float) -> str:
    """Return the area of one class, on top of those before it."""
    upper, lower = [], []
    for each in moments:
        shares = [0.0 if each.opinion.silent else float(one) for one in each.opinion.probabilities]
        x = _x(each.time_s, end_s)
        lower.append(f"{x},{_y(sum(shares[:number]))}")
        upper.append(f"{x},{_y(sum(shares[: number + 1]))}")
    points = " ".join([*upper, *reversed(lower)])
    return f'<polygon points="{points}" fill="{_COLOURS[CLASSES[number]]}" fill-opacity="0.75"/>'


def _labels(moments: Sequence[Moment], end_s: float) -> list[str]:
    """Return the band of labels; grey where nothing is claimed."""
    bars = []
    before_s = 0.0
    for each in moments:
        colour = _COLOURS.get(each.opinion.label, "#ddd")
        x = _x(before_s, end_s)
        width = max(0.1, round(_x(each.time_s, end_s) - x, 1))
        bars.append(
            f'<rect x="{x}" y="{_TOP + _HEIGHT + 6}" width="{width}" height="{_BAND}" '
            f'fill="{colour}"/>'
        )
        before_s = each.time_s
    return bars


def _axis(end_s: float) -> list[str]:
    step_s = next((each for each in _TICKS_S if end_s / each <= 12), 1800)
    y = _TOP + _HEIGHT + _BAND + 26
    ticks = [
        f'<text x="{_x(at, end_s)}" y="{y}" text-anchor="middle">{at} s</text>'
        for at in range(0, int(end_s) + 1, step_s)
    ]
    shares = [
        f'<text x="{_LEFT - 6}" y="{_y(share) + 4}" text-anchor="end">{share:.0%}</text>'
        for share in (0.0, 0.5, 1.0)
    ]
    return [*ticks, *shares]
