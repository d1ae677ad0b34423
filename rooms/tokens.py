"""Secrets that a client keeps and the server can only recognise.

A resume token is `<participant id>.<secret>`, a host key is a secret. Secrets are 256 random bits;
only their SHA-256 is stored (a slow hash protects guessable passwords, not these), and it is
compared in constant time.
"""

import hashlib
import hmac
import secrets

SECRET_BYTES = 32


def new_id() -> str:
    """Return a fresh random identifier, 96 bits, safe in a URL."""
    return secrets.token_hex(12)


def new_secret() -> str:
    """Return a fresh secret, safe in a URL and as a word of a command line."""
    while (secret := secrets.token_urlsafe(SECRET_BYTES)).startswith("-"):
        pass  # it would be taken for an option
    return secret


def fingerprint(secret: str) -> bytes:
    """Return what may be stored of a secret."""
    # A client's text may hold lone surrogates, which plain UTF-8 refuses.
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


def matches(secret: str, stored: bytes) -> bool:
    """Return whether `secret` is the one whose fingerprint was stored, in constant time."""
    return hmac.compare_digest(fingerprint(secret), stored)


def resume_token(participant_id: str, secret: str) -> str:
    """Return the token that gives the participant back."""
    return f"{participant_id}.{secret}"


def split_resume_token(token: str) -> tuple[str, str]:
    """Return participant id and secret; both may be anything, for the token is a client's."""
    participant_id, _, secret = token.partition(".")
    return participant_id, secret
