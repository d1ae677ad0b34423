"""Credentials for TURN servers, good for a while: coturn's REST scheme (`use-auth-secret`).

The user name is `<expiry>:<participant>`, the credential the base64 of HMAC-SHA1 over it under the
shared secret, so that the TURN server checks it without asking anybody.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from webrtc.settings_texts import IceServer

GOOD_FOR_S: Final = 24 * 3600
"""A call that lasts longer gets new ones with its next seat."""


@dataclass(frozen=True, slots=True)
class IceServers:
    """What clients are told to use.

    Attributes:
        fixed: handed out as they are.
        turn_urls: with credentials of ours.
        turn_secret: shared with those servers.
    """

    fixed: tuple[IceServer, ...] = ()
    turn_urls: tuple[str, ...] = ()
    turn_secret: str | None = None

    def of(self, who: str, now: float) -> list[IceServer]:
        """Return the servers for somebody.

        Args:
            who: an id that tells nothing about the person: TURN servers log it.
            now: seconds since the epoch.
        """
        if not self.turn_urls or self.turn_secret is None:
            return list(self.fixed)
        username = f"{int(now) + GOOD_FOR_S}:{who}"
        # SHA-1 is what TURN servers of this scheme take; HMAC does not need it to be free of
        # collisions.
        digest = hmac.new(self.turn_secret.encode(), username.encode(), hashlib.sha1).digest()
        credential = base64.b64encode(digest).decode()
        return [*self.fixed, IceServer(self.turn_urls, username, credential)]
