"""What the compiled mixing loop is told: which sources go into which mix with which gains."""

from collections.abc import Callable, Iterable, Mapping, Set

import numpy as np

from mixer.listener import Gains, Listener
from mixer.outputs import MixKey, Output
from mixer.source import Source

UNITY: Gains = (1.0, 1.0)
NOTHING: Gains = (0.0, 0.0)
GainTable = dict[tuple[MixKey, str], Gains]


def owner_of(mix: MixKey) -> str:
    """Return the only one who is not in a mix."""
    return mix.owner


class MixPlan:
    """The arrays of `kernels.mix`, good for as long as nobody comes, goes or changes a gain.

    Attributes:
        steady: Whether all gains stay as they are: the plan serves the next block too.
        gains_after: Gain of every audible term at the end of the block.
        silent_rows: Rows of the mixes without any term.
    """

    __slots__ = (
        "gains",
        "gains_after",
        "mix_rows",
        "silent_rows",
        "starts",
        "steady",
        "terms",
    )

    def __init__(
        self,
        outputs: Iterable[Output],
        heard: list[Source],
        fading: list[Source],
        listeners: Mapping[str, Listener],
        before: GainTable,
        left_out: Callable[[MixKey], str] = owner_of,
        known: Set[str] = frozenset(),
        *,
        at_once: bool = False,
    ) -> None:
        """Work out a plan.

        Args:
            outputs: All outputs of the room.
            heard: Sources in the mixes, be it for those alone who solo them.
            fading: Sources on their way out: they fade over this block.
            listeners: For their personal gains.
            before: Gains at the end of the last block.
            left_out: Tells who of the heard is not in a mix.
            known: Ids of the sources of the room: nobody else's solo counts.
            at_once: Who comes does not fade in.
        """
        mix_rows: list[int] = []
        starts = [0]
        terms: list[int] = []
        gains: list[tuple[float, float, float, float]] = []
        after: GainTable = {}
        self.steady = not fading
        self.silent_rows: set[int] = set()
        for output in outputs:
            mix = output.key.mix
            listener = listeners.get(mix.owner)
            absent = left_out(mix)
            solos = frozenset[str]() if listener is None else listener.solos & known
            for source in () if mix.silent else (*heard, *fading):
                name = source.source_id
                if name == mix.owner:
                    continue
                new = _gain(source, listener, absent, solos)
                old = before.get((mix, name), new if at_once else NOTHING)
                if new != NOTHING:
                    after[mix, name] = new
                if new != NOTHING or old != NOTHING:
                    terms.append(source.row)
                    gains.append((*old, *new))
                    self.steady = self.steady and old == new
            if len(terms) == starts[-1]:
                self.silent_rows.add(output.row)
            mix_rows.append(output.row)
            starts.append(len(terms))
        self.gains_after = after
        self.mix_rows = np.array(mix_rows, np.int32)
        self.starts = np.array(starts, np.int32)
        self.terms = np.array(terms, np.int32)
        self.gains = np.array(gains, np.float32).reshape(-1, 4)


def _gain(source: Source, listener: Listener | None, absent: str, solos: frozenset[str]) -> Gains:
    name = source.source_id
    if listener is not None and listener.deafened:
        return NOTHING
    if solos and listener is not None:
        return listener.gains[name].stereo() if name in solos and not source.muted else NOTHING
    if name == absent or not (source.engaged or source.in_reserve):
        return NOTHING
    if listener is not None:
        personal = listener.gains.get(name)
        if personal is not None:
            return personal.stereo()
    return UNITY
