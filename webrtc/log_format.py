"""What a log line looks like: text for people, or JSON for whatever collects lines."""

import json
import logging
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from webrtc import tracing
from webrtc.log_context import current

LOG_FORMATS: Final = ("text", "json")


class TextFormatter(logging.Formatter):
    """One line, with what it is about in brackets at its end; tracebacks below it."""

    def __init__(self, process: str) -> None:
        """Begin.

        Args:
            process: who is speaking, such as "worker 0".
        """
        super().__init__(
            f"%(asctime)s.%(msecs)03d %(levelname)-7s {process:<10} %(name)s: %(message)s",
            "%Y-%m-%d %H:%M:%S",
        )

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 — logging's own name
        """See `logging.Formatter`."""
        line = super().formatMessage(record)
        known = [f"{name[:-3]} {value}" for name, value in asdict(current()).items() if value]
        return f"{line} [{', '.join(known)}]" if known else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line.

    Keys: `time` (RFC 3339, UTC, ms), `level`, `process`, `logger`, `message`; where known
    `request_id`, `room_id`, `participant_id`, `trace_id`, `span_id`; `exception` with a traceback;
    and what the call gave as `extra={"fields": {…}}`.
    """

    def __init__(self, process: str) -> None:
        """Begin.

        Args:
            process: who is speaking, such as "worker 0".
        """
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "process": self._process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in asdict(current()).items() if value}
        line |= tracing.ids()
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def formatter(kind: str, process: str) -> logging.Formatter:
    """Return what makes lines.

    Args:
        kind: one of `LOG_FORMATS`.
        process: who is speaking.
    """
    return JsonFormatter(process) if kind == "json" else TextFormatter(process)
