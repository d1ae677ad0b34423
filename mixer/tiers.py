"""Which bitrate tier a listener's network bears.

The tier goes down a step when smoothed loss passes `worse`, and up again only after loss has stayed
below `better` for `UP_AFTER_S`: the gap between the two and the time are the hysteresis. Loss is
what the listener's receiver reports say. Time comes in as `now_s`.

| tier | meant for |
|---|---|
| 0 | a clean network: full-band CELT, lowest delay |
| 1 | loss above 3 %: in-band FEC, fewer bits |
| 2 | loss above 12 %: speech only, strong FEC |
"""

from dataclasses import dataclass

LOWEST_TIER = 2
UP_AFTER_S = 10.0


@dataclass(frozen=True, slots=True)
class TierThresholds:
    """Loss shares, 0 to 1, at which tier `i` is left for the worse, or may be left for the better.

    Attributes:
        worse: Leave tier i downwards above `worse[i]`.
        better: Leave tier i + 1 upwards below `better[i]`.
    """

    worse: tuple[float, float] = (0.03, 0.12)
    better: tuple[float, float] = (0.01, 0.06)


class TierPolicy:
    """Decides one listener's tier."""

    def __init__(self, thresholds: TierThresholds | None = None) -> None:
        """Begin at tier 0."""
        self.tier = 0
        self.loss = 0.0
        self._thresholds = thresholds or TierThresholds()
        self._good_since_s: float | None = None
        self._changed_s = float("-inf")

    def report(self, loss: float, now_s: float) -> int:
        """Take a receiver report's fraction lost (0 to 1) and return the tier from now on."""
        self.loss += (loss - self.loss) * 0.5
        tier = self.tier
        if tier < LOWEST_TIER and self.loss > self._thresholds.worse[tier]:
            # One step at a time: a burst shows what the next tier does before it counts again.
            if now_s - self._changed_s >= 1.0:
                self._move(tier + 1, now_s)
        elif tier > 0 and self.loss < self._thresholds.better[tier - 1]:
            if self._good_since_s is None:
                self._good_since_s = now_s
            elif now_s - self._good_since_s >= UP_AFTER_S:
                self._move(tier - 1, now_s)
        else:
            self._good_since_s = None
        return self.tier

    def _move(self, tier: int, now_s: float) -> None:
        self.tier = tier
        self._changed_s = now_s
        self._good_since_s = None
