"""Numbers of replicas and of their media workers, the same everywhere.

A server that shares its rooms with others is a replica and has a name that no other has. Its number
is made of the name, so that nobody has to hand numbers out: of 40 bits, among 1,000 replicas two
are alike with a probability of one to two million. Alone, without a name, it has number 0.
"""

import hashlib
import secrets
from typing import Final

WORKERS_PER_REPLICA: Final = 128
_NUMBER_BYTES: Final = 5


def new_name() -> str:
    """Return a name for a replica."""
    return secrets.token_hex(5)


def number_of(name: str) -> int:
    """Return a replica's number; 0 for one without a name."""
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:_NUMBER_BYTES], "big") if name else 0


def worker_number(replica: int, index: int) -> int:
    """Return the number that a replica's worker has among all workers of all replicas."""
    assert 0 <= index < WORKERS_PER_REPLICA
    return replica * WORKERS_PER_REPLICA + index


def replica_of(worker_number: int) -> int:
    """Return whose worker this is."""
    return worker_number // WORKERS_PER_REPLICA


def index_of(worker_number: int) -> int:
    """Return which worker of its replica this is."""
    return worker_number % WORKERS_PER_REPLICA
