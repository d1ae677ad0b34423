"""One curve with some dots in a small SVG, for the documentation."""

from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

_WIDTH, _HEIGHT = 640, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 45, 40, 45
_STEPS = 5


@dataclass(frozen=True, slots=True)
class Axis:
    """Values along one axis, and what they are."""

    unit: str
    values: Values
    logarithmic: bool = False

    def share(self, values: Values) -> Values:
        """Return where values lie between the axis' ends, 0 to 1."""
        low, high = self.values.min(), self.values.max()
        if self.logarithmic:
            values, low, high = np.log(values), np.log(low), np.log(high)
        return np.asarray((values - low) / (high - low))

    def ticks(self) -> Values:
        """Return values to be written beside the axis."""
        spaced = np.geomspace if self.logarithmic else np.linspace
        return np.asarray(spaced(self.values.min(), self.values.max(), _STEPS))


def write_chart(path: Path, title: str, x: Axis, y: Axis, dots: tuple[Values, Values]) -> None:
    """Write `y` over `x` as a line, and `dots` (x and y values) upon it."""

    def across(values: Values) -> Values:
        return np.asarray(_LEFT + x.share(values) * (_WIDTH - _LEFT - _RIGHT))

    def down(values: Values) -> Values:
        return np.asarray(_HEIGHT - _BOTTOM - y.share(values) * (_HEIGHT - _TOP - _BOTTOM))

    line = " ".join(
        f"{a:.1f},{b:.1f}" for a, b in zip(across(x.values), down(y.values), strict=True)
    )
    parts = [f'<text x="{_LEFT}" y="22" font-size="14">{escape(title)}</text>']
    for value, at in zip(x.ticks(), across(x.ticks()), strict=True):
        parts.append(f'<path d="M{at:.1f} {_TOP}V{_HEIGHT - _BOTTOM}" stroke="#8884"/>')
        parts.append(_label(at, _HEIGHT - _BOTTOM + 18, "middle", f"{value:.0f} {x.unit}"))
    for value, at in zip(y.ticks(), down(y.ticks()), strict=True):
        parts.append(f'<path d="M{_LEFT} {at:.1f}H{_WIDTH - _RIGHT}" stroke="#8884"/>')
        parts.append(_label(_LEFT - 6, at + 4, "end", f"{value:.1f}"))
    parts.append(_label(_LEFT - 6, _TOP - 8, "end", y.unit))
    parts.append(f'<polyline points="{line}" fill="none" stroke="#1769aa" stroke-width="2"/>')
    for a, b in zip(across(dots[0]), down(dots[1]), strict=True):
        parts.append(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5" fill="#d9480f"/>')
    body = "\n".join(parts)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="sans-serif" fill="#555">\n'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>\n{body}\n</svg>\n',
        encoding="utf-8",
    )


def _label(x: float, y: float, anchor: str, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="12" text-anchor="{anchor}">{text}</text>'
