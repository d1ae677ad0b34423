"""Who is on which track of whom.

Everybody hears those on the main places but oneself; who is on one of them hears the reserve in
its stead. A source stays on the track of a listener for as long as this one is to hear it; who is
new gets a free track. So tracks of two listeners may hold the same people in different orders.

Invariants after `settle`: nobody has the same source on two tracks, nobody has their own, and
everybody with enough tracks has everybody whom they are to hear.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int32]

NOBODY = -1
_NO_TRACK = -2
_NO_ROWS: Rows = np.zeros(0, np.int32)


class TrackBoard:
    """The tracks of a room's listeners."""

    def __init__(self) -> None:
        """Begin without listeners."""
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._next_number = 0
        self._listeners: list[str] = []
        self._places: dict[str, int] = {}  # in that list
        self._own: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._outputs: Rows = np.zeros((0, 0), np.int32)
        self._tracks: npt.NDArray[np.int64] = np.zeros((0, 0), np.int64)
        self._rows: dict[str, Rows] = {}

    @property
    def listeners(self) -> Sequence[str]:
        """Everybody who has tracks."""
        return self._listeners

    def add(self, listener_id: str, outputs: Sequence[int]) -> None:
        """Give somebody tracks, instead of those they had; nobody is on them before `settle`.

        Args:
            listener_id: Who.
            outputs: What identifies each track to whoever sends; at most 15.
        """
        self.remove(listener_id)
        width = max(self._tracks.shape[1], len(outputs))
        self._widen(width)
        row = np.full((1, width), -1, np.int32)
        row[0, : len(outputs)] = outputs
        self._outputs = np.concatenate([self._outputs, row])
        empty = np.where(row >= 0, NOBODY, _NO_TRACK).astype(np.int64)
        self._tracks = np.concatenate([self._tracks, empty])
        self._own = np.append(self._own, self._number(listener_id))
        self._places[listener_id] = len(self._listeners)
        self._listeners.append(listener_id)

    def remove(self, listener_id: str) -> None:
        """Take somebody's tracks away; unknown ids are ignored."""
        at = self._places.get(listener_id)
        if at is None:
            return
        del self._listeners[at]
        self._places = {name: place for place, name in enumerate(self._listeners)}
        self._outputs = np.delete(self._outputs, at, 0)
        self._tracks = np.delete(self._tracks, at, 0)
        self._own = np.delete(self._own, at)
        self._index()

    def rows_of(self, source_id: str) -> Rows:
        """Return the outputs on which a source is, int32."""
        return self._rows.get(source_id, _NO_ROWS)

    def on_tracks_of(self, listener_id: str) -> tuple[str | None, ...]:
        """Return who is on each track of a listener, None on free ones.

        Raises:
            KeyError: they have none.
        """
        return self._people(self._tracks[self._places[listener_id]])

    def groups(self, listeners: Iterable[str]) -> list[tuple[list[str], tuple[str | None, ...]]]:
        """Return who is on the tracks of some listeners, those with the same people together.

        Who has no tracks is left out.
        """
        alike: dict[bytes, list[str]] = {}
        for name in listeners:
            place = self._places.get(name)
            if place is not None:
                alike.setdefault(self._tracks[place].tobytes(), []).append(name)
        return [
            (names, self._people(self._tracks[self._places[names[0]]])) for names in alike.values()
        ]

    def _people(self, row: npt.NDArray[np.int64]) -> tuple[str | None, ...]:
        return tuple(
            None if one == NOBODY else self._names[one] for one in row.tolist() if one != _NO_TRACK
        )

    def settle(self, main: Sequence[str], reserve: str | None) -> tuple[list[str], Rows]:
        """Put on the tracks who is to be heard now.

        Args:
            main: Who is heard by everyone else.
            reserve: Who is heard by those.

        Returns:
            The listeners on whose tracks anything changed, and the outputs, int32, on which
            somebody new is.
        """
        before = self._tracks.copy()
        tracks, own = self._tracks, self._own[:, None]
        chosen = [self._number(one) for one in main]
        speaks = np.isin(own, chosen)
        wanted = np.isin(tracks, chosen) & (tracks != own)
        if reserve is not None:
            second = self._number(reserve)
            wanted |= speaks & (tracks == second)
        tracks[~wanted & (tracks != _NO_TRACK)] = NOBODY
        for one in chosen:
            self._place(one, (own != one)[:, 0])
        if reserve is not None:
            self._place(second, speaks[:, 0])
        self._index()
        different = before != tracks
        changed = np.flatnonzero(different.any(axis=1)).tolist()
        fresh: Rows = self._outputs[different & (tracks >= 0)]
        return [self._listeners[at] for at in changed], fresh

    def _place(self, one: int, who: npt.NDArray[np.bool_]) -> None:
        """Put a source on a free track of those of some listeners who do not have it yet."""
        tracks = self._tracks
        rows = np.flatnonzero(who & ~(tracks == one).any(axis=1))
        free = tracks[rows] == NOBODY
        rows, free = rows[free.any(axis=1)], free[free.any(axis=1)]
        if len(rows):
            tracks[rows, free.argmax(axis=1)] = one

    def _index(self) -> None:
        self._rows = {
            self._names[number]: self._outputs[self._tracks == number]
            for number in np.unique(self._tracks).tolist()
            if number >= 0
        }
        if len(self._names) > 2 * len(self._listeners) + 64:
            self._forget_others()

    def _number(self, name: str) -> int:
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = self._next_number
            self._names[number] = name
            self._next_number += 1
        return number

    def _forget_others(self) -> None:
        """Forget who is neither on a track nor has any."""
        here = {*np.unique(self._tracks).tolist(), *self._own.tolist()}
        self._names = {number: name for number, name in self._names.items() if number in here}
        self._numbers = {name: number for number, name in self._names.items()}

    def _widen(self, width: int) -> None:
        more = width - self._tracks.shape[1]
        if more > 0:
            self._tracks = np.pad(self._tracks, ((0, 0), (0, more)), constant_values=_NO_TRACK)
            self._outputs = np.pad(self._outputs, ((0, 0), (0, more)), constant_values=-1)
