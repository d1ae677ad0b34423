"""Whether there is too much delay, for how long there has been, and when to change it again."""

from dataclasses import dataclass

LOW_WINDOW = 12_000  # 250 ms: excess delay is real when it was there for one to two of these
STRETCH_SPACING = 9  # after a change of n samples, n × this go unchanged: one part in ten
MIN_SIMILARITY = 0.9
PATIENCE_STEP = 0.05  # what is asked for less at each further try
PATIENCE_REGAINED = 0.1  # after a change: a sound that was hard to stretch stays so for a while
TRY_SPACING = 2_400  # 50 ms


@dataclass(slots=True)
class DelayWatch:
    """The watch over one playout's excess delay; all lengths in samples.

    Attributes:
        low: Least excess in the present window.
        low_before: Least excess in the window before.
        low_left: What is left of the present window.
        cooldown: What goes unchanged yet; over at 0.
        patience: Likeness that is asked of a cut.
    """

    low: int = 0
    low_before: int = 0
    low_left: int = LOW_WINDOW
    cooldown: int = 0
    patience: float = MIN_SIMILARITY

    def restart(self) -> None:
        """Watch afresh before the delay is changed again."""
        self.low = self.low_before = 0
        self.low_left = LOW_WINDOW
        self.cooldown = 0
        self.patience = MIN_SIMILARITY

    def see(self, excess: int, samples: int) -> None:
        """Take note of the excess before a block of `samples`."""
        self.cooldown -= samples
        self.low = min(self.low, excess)
        self.low_left -= samples
        if self.low_left <= 0:
            self.low_before = self.low
            self.low = excess
            self.low_left = LOW_WINDOW

    @property
    def lasting(self) -> int:
        """Excess that has been there for one window at least; 0 or less without."""
        return min(self.low, self.low_before)

    def in_vain(self) -> None:
        """Take note that no good place for a change was found."""
        self.cooldown = TRY_SPACING
        self.patience -= PATIENCE_STEP

    def changed(self, samples: int) -> None:
        """Take note that the delay was changed by so much, either way."""
        self.cooldown = samples * STRETCH_SPACING
        self.patience = min(MIN_SIMILARITY, self.patience + PATIENCE_REGAINED)

    def shed(self, samples: int) -> None:
        """Take note that so much excess is gone."""
        self.low -= samples
        self.low_before -= samples
        self.changed(samples)
