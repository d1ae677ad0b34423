"""Join tokens for tests: good ones, and one of every bad kind."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

SECRET: Final = "a-secret-of-the-tests-that-is-long-enough"
OPERATOR: Final = "an-operators-token-that-is-long-enough-too"
AUDIENCE: Final = "ag06-mixer"
HOUR_S: Final = 3600


def token(*grants: str, room: str | None = "room", key: str = SECRET, **claims: Any) -> str:
    """Return a token; a claim given as None is left out."""
    payload: dict[str, Any] = {
        "sub": "ada",
        "aud": AUDIENCE,
        "exp": int(time.time()) + HOUR_S,
        "room": room,
        "grants": list(grants),
        **claims,
    }
    payload = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(payload, key, algorithm="HS256")


def unsigned(*grants: str) -> str:
    """Return a token that says it needs no signature (RFC 7519 section 6)."""
    _, payload, _ = token(*grants).split(".")
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode())
    return f"{header.decode().rstrip('=')}.{payload}."


def signed_otherwise(*grants: str) -> str:
    """Return a token that is signed with a key pair of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    payload = jwt.decode(token(*grants), options={"verify_signature": False})
    return jwt.encode(payload, pem, algorithm="ES256")


ALL: Final = ("subscribe", "publish", "own_strip", "engineer", "host", "record", "admin")

BAD_TOKENS: Final[dict[str, tuple[Callable[[], str | None], str]]] = {
    "none": (lambda: None, "unauthorized"),
    "empty": (lambda: "", "unauthorized"),
    "no token at all": (lambda: "letmein", "unauthorized"),
    "of another secret": (lambda: token(*ALL, room="*", key="x" * 40), "unauthorized"),
    "unsigned": (lambda: unsigned(*ALL), "unauthorized"),
    "signed otherwise": (lambda: signed_otherwise(*ALL), "unauthorized"),
    "tampered with": (lambda: token(*ALL)[:-4] + "AAAA", "unauthorized"),
    "for another server": (lambda: token(*ALL, room="*", aud="another"), "unauthorized"),
    "for nobody": (lambda: token(*ALL, room="*", sub=None), "unauthorized"),
    "without end": (lambda: token(*ALL, room="*", exp=None), "unauthorized"),
    "without audience": (lambda: token(*ALL, room="*", aud=None), "unauthorized"),
    "without room": (lambda: token(*ALL, room=None), "unauthorized"),
    "without grants": (lambda: token(room="*", grants=None), "unauthorized"),
    "with grants of another shape": (lambda: token(room="*", grants="admin"), "unauthorized"),
    "expired": (lambda: token(*ALL, room="*", exp=int(time.time()) - HOUR_S), "token_expired"),
    "not good yet": (lambda: token(*ALL, room="*", nbf=int(time.time()) + HOUR_S), "unauthorized"),
    "for another room": (lambda: token(*ALL, room="elsewhere"), "forbidden"),
    "that opens nothing": (lambda: token(room="*"), "forbidden"),
    "of a later version": (lambda: token("teleport", room="*"), "forbidden"),
}
"""Every way in which a token may be no good for the room `room`, and the reason that it gets."""
