"""What must be installed before the server can work; needs nothing but the standard library."""

import re
from importlib import metadata
from pathlib import Path
from typing import Final

from webrtc import tracing
from webrtc.settings import Settings, StartError

PAGE_PACKAGES: Final = ("socket.io-client",)
"""npm packages that the page loads."""


def check_python_packages(requirements: Path) -> None:
    """Check that every distribution of a requirements file is installed, in whatever version.

    Lines with a condition (`; python_version …`) are left to pip, which knows whom they concern.

    Raises:
        StartError: names those that are missing and the command that installs them.
    """
    text = requirements.read_text("utf-8")
    names = re.findall(r"^([A-Za-z0-9._-]+)[=<>~!][^;\n]*$", text, re.MULTILINE)
    missing = [name for name in names if not _is_installed(name)]
    if missing:
        raise StartError(
            f"Missing Python packages: {', '.join(missing)}. Run `make run`, or install them with "
            f"`python3 -m pip install -r {requirements.name}`."
        )


def check_certificate(settings: Settings) -> None:
    """Check that the certificate can be used, if there is one.

    Raises:
        StartError: says why it cannot.
    """
    from webrtc.front_tls import Certificate

    Certificate.of(settings)


def check_tracing() -> None:
    """Check that requests can be traced, if that is wanted.

    Raises:
        StartError: says what is missing.
    """
    if tracing.is_wanted() and not tracing.is_installed():
        raise StartError(tracing.MISSING)


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def page_warnings(node_modules: Path) -> list[str]:
    """Return a sentence for each npm package that the page cannot load; the API needs none."""
    return [
        f"The npm package {name} is missing, so the page will not load, although the API works: "
        "run `make run`, or `npm ci` in the project's folder."
        for name in PAGE_PACKAGES
        if not (node_modules / name / "package.json").is_file()
    ]
