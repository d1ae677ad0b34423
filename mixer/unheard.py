"""Who sounds though nobody may hear it: the muted, whose sound nothing is done to.

A source that is muted is treated until it has faded. Then its strip rests, and costs nothing; when
it is let in again, the strip fades in over the plain sound, in the middle of which it begins.
"""

from collections.abc import Sequence

from dsp.strip import StripBank
from mixer.source import Source
from mixer.treatment import Treatment


class Unheard:
    """The muted among a room's sources."""

    def __init__(self, treatment: Treatment, strips: StripBank | None) -> None:
        """Begin with nobody muted.

        Args:
            treatment: What is done to the room's sources in front of their strips.
            strips: Their strips, if they have any.
        """
        self._treatment = treatment
        self._strips = strips
        self._resting: set[str] = set()

    def leave_out(self, present: Sequence[Source]) -> Sequence[Source]:
        """Return those of `present` whom somebody may hear, in the same order."""
        if not self._resting and not any(source.muted for source in present):
            return present
        return [source for source in present if self._may_be_heard(source)]

    def forget(self, source: Source) -> None:
        """Take note that a source's sound has ended, or that it is gone."""
        self._resting.discard(source.source_id)

    def _may_be_heard(self, source: Source) -> bool:
        may_be = source.heard or not source.muted
        if may_be and source.source_id in self._resting:
            self._resting.remove(source.source_id)
            if self._strips is not None:
                self._strips.join(source.row)
        elif not may_be and source.source_id not in self._resting:
            self._resting.add(source.source_id)
            self._treatment.rest(source)
            if self._strips is not None:
                self._strips.rest(source.row)
        return may_be
