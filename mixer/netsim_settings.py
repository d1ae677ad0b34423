"""What a simulated network does to packets, in figures, by name, or as one quality from 0 to 100 %.

Loss comes alone or in bursts. Bursts follow Gilbert and Elliott's model: a network that is either
good (nothing is lost) or bad (a share is), and changes between the two at random; see E. N.
Gilbert, Bell System Technical Journal 39 (1960), and G. Hasslinger, O. Hohlfeld, MMB 2008.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Final

_RANGES: Final[dict[str, tuple[float, float]]] = {
    "loss_percent": (0, 100),
    "burst_packets": (1, 1000),
    "burst_loss_percent": (1, 100),
    "delay_ms": (0, 5000),
    "jitter_ms": (0, 1000),
    "scatter_ms": (0, 1000),
    "reorder_percent": (0, 100),
    "reorder_ms": (1, 1000),
    "duplicate_percent": (0, 100),
    "bandwidth_kbps": (0, 1_000_000),
    "queue_ms": (1, 10_000),
    "noise_percent": (0, 100),
}


@dataclass(frozen=True, slots=True)
class NetworkConditions:
    """What happens to packets on their way; nothing by default.

    Attributes:
        loss_percent: Share of the packets that get lost, 0 to 100, over a long time.
        burst_packets: Mean length of a bad spell in packets, 1 to 1000; 1 loses each by itself.
        burst_loss_percent: Share that is lost during a bad spell, 1 to 100; matters above 1 packet.
        delay_ms: Time that every packet takes, 0 to 5000.
        jitter_ms: Mean of what comes on top at random, 0 to 1000; order is kept.
        scatter_ms: Up to how much longer each packet takes by itself, 0 to 1000, any time up to
            that being as likely as any other; packets overtake each other.
        reorder_percent: Share of the packets that later ones overtake, 0 to 100.
        reorder_ms: How much longer these take, 1 to 1000.
        duplicate_percent: Share of the packets that arrive twice, 0 to 100.
        bandwidth_kbps: What passes in a second, in 1000 bits, to 1,000,000; 0 is without bound.
        queue_ms: Longest wait for that, 1 to 10,000; packets that would wait longer are dropped.
        noise_percent: Effective value of noise on the sound, in percent of full scale, 0 to 100.

    Raises:
        ValueError: A value is out of range; the sentence names it.
    """

    loss_percent: float = 0.0
    burst_packets: float = 1.0
    burst_loss_percent: float = 100.0
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    scatter_ms: float = 0.0
    reorder_percent: float = 0.0
    reorder_ms: float = 30.0
    duplicate_percent: float = 0.0
    bandwidth_kbps: float = 0.0
    queue_ms: float = 200.0
    noise_percent: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            low, high = _RANGES[field.name]
            value = getattr(self, field.name)
            if not low <= value <= high:  # NaN is in no range
                raise ValueError(f"{field.name} must be {low:g} to {high:g}, not {value:g}")
        if self.is_bursty and self.loss_percent >= self.burst_loss_percent:
            raise ValueError(
                f"loss_percent must be below burst_loss_percent, {self.burst_loss_percent:g}, "
                f"not {self.loss_percent:g}: even bad spells lose no more"
            )

    @property
    def is_bursty(self) -> bool:
        """Whether losses come in bursts."""
        return self.burst_packets > 1 and self.loss_percent > 0

    @property
    def is_clean(self) -> bool:
        """Whether packets and sound pass as if there were no network."""
        return not any(
            (
                self.loss_percent,
                self.delay_ms,
                self.jitter_ms,
                self.scatter_ms,
                self.reorder_percent,
                self.duplicate_percent,
                self.bandwidth_kbps,
                self.noise_percent,
            )
        )

    def transitions(self) -> tuple[float, float]:
        """Return the chances, packet by packet, of good turning bad and of bad turning good."""
        to_good = 1.0 / self.burst_packets
        bad_share = self.loss_percent / self.burst_loss_percent
        return min(1.0, to_good * bad_share / (1.0 - bad_share)), to_good


CLEAN: Final = NetworkConditions()

PRESETS: Final[Mapping[str, NetworkConditions]] = MappingProxyType(
    {
        "clean": CLEAN,
        "wifi": NetworkConditions(
            loss_percent=1, burst_packets=2, delay_ms=5, jitter_ms=4, duplicate_percent=0.1
        ),
        "busy-wifi": NetworkConditions(
            loss_percent=5, burst_packets=4, delay_ms=10, jitter_ms=20, reorder_percent=0.5
        ),
        "mobile": NetworkConditions(
            loss_percent=2, burst_packets=5, delay_ms=60, jitter_ms=25, bandwidth_kbps=400
        ),
        "satellite": NetworkConditions(loss_percent=0.5, delay_ms=300, jitter_ms=8),
        "overload": NetworkConditions(
            loss_percent=15, burst_packets=8, delay_ms=120, jitter_ms=60, reorder_percent=3
        ),
    }
)
"""Networks by name."""


def quality(percent: float) -> NetworkConditions:
    """Return a network of that quality: 100 % does nothing, 0 % leaves little to understand.

    At 50 %: 7.5 % lost in spells of 3 packets, 50 ms and on average 15 ms more, noise at −40 dBFS.

    Raises:
        ValueError: `percent` is not 0 to 100.
    """
    if not 0 <= percent <= 100:
        raise ValueError(f"quality must be 0 to 100, not {percent:g}")
    bad = 1.0 - percent / 100.0
    return NetworkConditions(
        loss_percent=30.0 * bad**2,
        burst_packets=1.0 + 4.0 * bad,
        delay_ms=100.0 * bad,
        jitter_ms=60.0 * bad**2,
        reorder_percent=4.0 * bad**2,
        duplicate_percent=1.0 * bad,
        noise_percent=2.0 * bad,
    )


_UNITLESS: Final = {name.rsplit("_", 1)[0]: name for name in _RANGES if name != "reorder_ms"}


def parse_conditions(text: str) -> NetworkConditions:
    """Read conditions: a quality ("50" or "50%"), a preset's name, or figures.

    Figures are `name=value` with commas between; a name may go without its unit:
    `loss=5,burst=3,jitter_ms=20`.

    Raises:
        ValueError: The text is none of these, or a value is out of range.
    """
    text = text.strip()
    if text in PRESETS:
        return PRESETS[text]
    if "=" not in text:
        try:
            percent = float(text.removesuffix("%"))
        except ValueError:
            raise ValueError(
                f"{text!r} is no quality (0 to 100), no list of figures (loss=5,jitter=20) "
                f"and none of {', '.join(PRESETS)}"
            ) from None
        return quality(percent)
    given: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        name = name.strip()
        name = _UNITLESS.get(name, name)
        if name not in _RANGES or name in given:
            raise ValueError(f"{name!r} is not a figure of a network, or is there twice")
        try:
            given[name] = float(value)
        except ValueError:
            raise ValueError(f"{name} needs a number, not {value.strip()!r}") from None
    return NetworkConditions(**given)
