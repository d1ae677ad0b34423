"""One log line for each request: what was wanted, what came of it, and how long it took."""

import logging
import time
from typing import Final

logger: Final = logging.getLogger(__name__)


def tell(name: str, outcome: str, began: float, *, is_important: bool) -> None:
    """Write the line, if lines of its kind are wanted.

    Args:
        name: of the event, or method and template of the route; never what a client made up.
        outcome: a reason code or an HTTP status.
        began: when, by `time.perf_counter`.
        is_important: whether somebody came or went, or something changed for others: INFO, else
            DEBUG. What was refused is neither, or strangers could fill the log.
    """
    level = logging.INFO if is_important else logging.DEBUG
    if not logger.isEnabledFor(level):
        return
    took_ms = round(1000 * (time.perf_counter() - began), 1)
    fields = {"request": name, "outcome": outcome, "took_ms": took_ms}
    logger.log(level, "%s: %s, %.1f ms", name, outcome, took_ms, extra={"fields": fields})
