"""What aiohttp's server may log: our defects, without addresses, and never a client's mistake.

aiohttp logs malformed HTTP with a traceback and the peer's address, so that anyone could fill the
log. It is answered with 400 all the same.
"""

import logging

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

_CLIENTS = (HttpProcessingError, web.RequestPayloadError, ConnectionError)


class _OnlyDefects(logging.Filter):
    """Drops what clients got wrong and takes the address out of the rest."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, _CLIENTS):
            return False
        if error is not None:
            record.msg, record.args = "a request could not be handled", ()
        return True


def http_logger() -> logging.Logger:
    """Return the logger to give to aiohttp's server."""
    logger = logging.getLogger("webrtc.http")
    if not logger.filters:
        logger.addFilter(_OnlyDefects())
    return logger
