"""What a benchmark needs of the system beside Python: installed where that is permitted."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable


class MissingPackageError(Exception):
    """A program or file is not there and may not be installed; the text names the command."""


def ensure(package: str, is_there: Callable[[], bool]) -> None:
    """Install Debian's `package` unless what it brings is there already; says so first.

    Raises:
        MissingPackageError: it is not there afterwards either.
    """
    if is_there():
        return
    command = ["apt-get", "install", "--yes", "--no-install-recommends", package]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"installing: {' '.join(command)}", file=sys.stderr)
        subprocess.run(command, check=False, stdout=sys.stderr)
    if not is_there():
        raise MissingPackageError(f"{package} is not installed; as root: {' '.join(command)}")
