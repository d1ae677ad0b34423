"""Which replicas there are, as their leases say, and where each is reached. Sans-I/O.

Workers come by their number among all of all replicas, see `rooms.replicas`.
"""

from collections.abc import Set

from rooms.replicas import replica_of


class Leases:
    """The latest that is known of all replicas.

    Attributes:
        urls: Where those are reached whose lease holds, by number.
        lost: Those that serve somebody and whose lease is over.
    """

    def __init__(self, replica: int) -> None:
        """Know of nobody but this one."""
        self.urls: dict[int, str] = {}
        self.lost: Set[int] = frozenset()
        self._replica = replica

    def is_own(self, worker: int) -> bool:
        """Return whether a worker is of this replica."""
        return replica_of(worker) == self._replica

    def is_lost(self, worker: int) -> bool:
        """Return whether the replica of a worker is dead."""
        return replica_of(worker) in self.lost

    def url_of(self, worker: int) -> str:
        """Return where the replica of a worker is reached, "" if nobody knows."""
        return self.urls.get(replica_of(worker), "")

    def others(self) -> list[str]:
        """Return where all other replicas are reached."""
        return [url for number, url in self.urls.items() if number != self._replica and url]

    def judge(self, wanted: Set[int]) -> tuple[set[int], set[int]]:
        """Find out which of the replicas that serve somebody are dead.

        Args:
            wanted: All that serve somebody.

        Returns:
            Those that are dead and were not, and those that were and are not any more.
        """
        dead = wanted - self.urls.keys()
        lost, back = set(dead - self.lost), set(self.lost - dead)
        self.lost = dead
        return lost, back
