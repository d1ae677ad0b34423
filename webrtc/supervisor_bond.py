"""Ties a child's life to the supervisor's: the kernel ends the child when the supervisor dies.

Not even SIGKILL on the supervisor leaves a process behind that holds the ports.
"""

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1  # <linux/prctl.h>


def bind_to_parent(parent: int) -> None:
    """Ask for SIGKILL when the parent ends; leave at once when it has ended already.

    Args:
        parent: process id of the supervisor, told by itself, because by now it may be gone.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    # The parent may have died between our start and the call: then the kernel sends nothing.
    if os.getppid() != parent:
        sys.exit(0)
