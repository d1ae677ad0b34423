"""`python start_webrtc.py certificate`: a certificate for trials, signed by nobody but itself.

Browsers give the microphone to HTTPS pages only, so a phone on the same network needs one. It warns
once and then works. For anything but trials, get a certificate that browsers know.
"""

import argparse
import datetime
import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from webrtc.settings import Settings, StartError

_DAYS: Final = 365  # more than 397 and browsers refuse it for its length alone


def run(arguments: Sequence[str], settings: Settings) -> str:
    """Write certificate and key; return what to do with them.

    Raises:
        StartError: the files cannot be written, or are there.
    """
    given = _parser().parse_args(arguments)
    folder: Path = given.folder
    names = given.name or ["localhost", *settings.announced_ips]
    chain, key = folder / "cert.pem", folder / "key.pem"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        certificate, private = make(names, datetime.datetime.now(datetime.UTC))
        _write_new(key, private, 0o600)
        _write_new(chain, certificate, 0o644)
    except FileExistsError as error:
        raise StartError(
            f"{error.filename} is there: remove it first, or name a --folder."
        ) from None
    except OSError as error:
        raise StartError(f"The certificate cannot be written: {error.strerror}.") from None
    return (
        f"For {', '.join(names)}; browsers will warn once. Start with\n"
        f"WEBRTC_TLS_CERT={chain} WEBRTC_TLS_KEY={key}"
    )


def make(names: Sequence[str], now: datetime.datetime) -> tuple[bytes, bytes]:
    """Return certificate and key, PEM, for host names and addresses."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "AG06 Mixer, for trials")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
    )
    certificate = builder.sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write_new(path: Path, content: bytes, mode: int) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="start_webrtc.py certificate",
        description="Make a self-signed certificate for trials, so that phones on the same network "
        "may use their microphone.",
    )
    parser.add_argument("--folder", type=Path, default=Path("certificate"), help="where to put it")
    parser.add_argument(
        "--name",
        action="append",
        help="host name or address that it is for, may be repeated (default: localhost and "
        "WEBRTC_ANNOUNCED_IPS)",
    )
    return parser
