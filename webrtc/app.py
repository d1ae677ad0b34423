"""Composition root: what a child process of the supervisor runs.

::

    python -m webrtc.app worker --index 0 --udp-fd 5 --runtime-dir DIR --parent PID
    python -m webrtc.app front --signaling-fd 3 --static-fd 4 --runtime-dir DIR --parent PID
    python -m webrtc.app classifier --runtime-dir DIR --parent PID
    python -m webrtc.app spare worker --assignment-fd 6 --parent PID

Only `start_webrtc.py` starts these. Sockets are inherited and bound already; settings come through
the environment. A spare imports what its role needs, waits for its assignment (supervisor_process.
py), and goes on as if it had been started with it.

Exit status: 0 after SIGTERM, 2 when only the operator can help (one sentence says how), 1 after a
defect (its traceback is logged).
"""

import argparse
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from webrtc import logs
from webrtc.runtime_dir import classifier_pulse_path, control_path, pulse_path
from webrtc.settings import Settings, StartError, load
from webrtc.supervisor_bond import bind_to_parent
from webrtc.supervisor_child import STATUS_OPERATOR

_ASSIGNMENT_BYTES = 8192
_MOST_SOCKETS = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one child process until SIGTERM; return its exit status."""
    given = _parser().parse_args(arguments)
    bind_to_parent(given.parent)
    # Ctrl-C is the supervisor's business; this process is told by SIGTERM.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        settings = load(os.environ)
        if given.role == "spare":
            assigned = _wait_for_assignment(given)
            if assigned is None:
                return 0
            given = _parser().parse_args(assigned)
        with logs.writing(_label(given), settings.log_level, kind=settings.log_format):
            return _run(given, settings)
    except ModuleNotFoundError as error:
        return _refuse(
            f"The Python module {error.name} is missing: run "
            f"{sys.executable} -m pip install -r requirements.txt, or make run."
        )
    except StartError as error:
        return _refuse(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m webrtc.app", description=__doc__)
    roles = parser.add_subparsers(dest="role", required=True)
    worker = roles.add_parser("worker")
    worker.add_argument("--index", type=int, required=True)
    worker.add_argument("--udp-fd", type=int, required=True)
    worker.add_argument("--runtime-dir", type=Path, required=True)
    front = roles.add_parser("front")
    front.add_argument("--signaling-fd", type=int, required=True)
    front.add_argument("--static-fd", type=int, required=True)
    front.add_argument("--runtime-dir", type=Path, required=True)
    for each in (worker, front):
        each.add_argument("--gateway-fd", type=int)
    classifier = roles.add_parser("classifier")
    classifier.add_argument("--runtime-dir", type=Path, required=True)
    spare = roles.add_parser("spare")
    spare.add_argument("becomes", choices=["worker", "front"])
    spare.add_argument("--assignment-fd", type=int, required=True)
    for each in (worker, front, classifier, spare):
        each.add_argument("--parent", type=int, required=True)
    return parser


def _label(given: argparse.Namespace) -> str:
    return f"worker {given.index}" if given.role == "worker" else str(given.role)


def _refuse(sentence: str) -> int:
    sys.stderr.write(sentence + "\n")
    return STATUS_OPERATOR


# ---- the roles; imported only where needed: the front process has no use for codecs ---------


def _run(given: argparse.Namespace, settings: Settings) -> int:
    try:
        if given.role == "worker":
            _run_worker(given, settings)
        elif given.role == "classifier":
            _run_classifier(given)
        else:
            _run_front(given, settings)
    except (ModuleNotFoundError, StartError):
        raise
    except Exception:
        logging.getLogger("webrtc.app").exception("ended by a defect")
        return 1
    return 0


def _run_worker(given: argparse.Namespace, settings: Settings) -> None:
    from webrtc.media.process import run_worker

    udp = socket.socket(fileno=given.udp_fd)
    folder, index = given.runtime_dir, given.index
    control, pulse = control_path(folder, index), pulse_path(folder, index)
    run_worker(settings, index, udp, control, pulse, _gateway(given))


def _run_front(given: argparse.Namespace, settings: Settings) -> None:
    from webrtc.front import run_front

    signaling = socket.socket(fileno=given.signaling_fd)
    static = socket.socket(fileno=given.static_fd)
    run_front(settings, signaling, static, given.runtime_dir, _gateway(given))


def _run_classifier(given: argparse.Namespace) -> None:
    from webrtc.classifier.process import run_classifier

    run_classifier(given.runtime_dir, classifier_pulse_path(given.runtime_dir))


def _gateway(given: argparse.Namespace) -> socket.socket | None:
    return None if given.gateway_fd is None else socket.socket(fileno=given.gateway_fd)


def _wait_for_assignment(spare: argparse.Namespace) -> list[str] | None:
    """Load what the role needs, then wait; return the arguments, or None if the line closed."""
    if spare.becomes == "worker":
        import webrtc.media.process
        from webrtc.media.warm import warm_up

        warm_up()
    else:
        import webrtc.front  # noqa: F401
    with socket.socket(fileno=spare.assignment_fd) as line:
        message, descriptors, _, _ = socket.recv_fds(line, _ASSIGNMENT_BYTES, _MOST_SOCKETS)
    if not message:
        return None
    assignment = json.loads(message)
    flags = zip(assignment["sockets"], descriptors, strict=True)
    return [
        spare.becomes,
        *assignment["arguments"],
        *(text for flag, descriptor in flags for text in (flag, str(descriptor))),
        "--parent",
        str(spare.parent),
    ]


if __name__ == "__main__":
    sys.exit(main())
