"""HTTPS by the front process itself, with a certificate that may change while it runs."""

import asyncio
import logging
import ssl
from pathlib import Path
from typing import Final

from webrtc.settings import Settings, StartError

logger = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 5.0


class Certificate:
    """A certificate chain and its key, in files.

    Args:
        chain: PEM file.
        key: PEM file.

    Raises:
        StartError: they cannot be read, or do not belong together.
    """

    def __init__(self, chain: Path, key: Path) -> None:
        self._chain = chain
        self._key = key
        self._seen = self._stamps()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        try:
            self.context.load_cert_chain(chain, key, password="")
        except (OSError, ssl.SSLError, ValueError) as error:
            raise StartError(
                f"The certificate {chain} or its key {key} cannot be used: {_why(error)}."
            ) from None

    @classmethod
    def of(cls, settings: Settings) -> "Certificate | None":
        """Return the certificate that the settings name, if they do."""
        if not settings.tls_cert:
            return None
        return cls(Path(settings.tls_cert), Path(settings.tls_key))

    async def watch(self) -> None:
        """Read the files again whenever they change; connections that are open go on."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look()

    def look(self) -> bool:
        """Read the files again if they have changed; return whether that was done.

        Files that do not belong together, because only one is written yet, are left alone until
        they change again.
        """
        stamps = self._stamps()
        if stamps == self._seen:
            return False
        self._seen = stamps
        try:
            # First apart: a failure would leave half of it in the context that serves.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
                self._chain, self._key, password=""
            )
            self.context.load_cert_chain(self._chain, self._key, password="")
        except (OSError, ssl.SSLError, ValueError) as error:
            logger.warning("the new certificate cannot be used: %s", _why(error))
            return False
        logger.info("serving with a new certificate")
        return True

    def _stamps(self) -> tuple[tuple[int, int], ...]:
        return tuple(_stamp(path) for path in (self._chain, self._key))


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or "it is no PEM file of that kind"
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)
