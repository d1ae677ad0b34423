#!/usr/bin/env python3
"""Start AG06 Mixer: arguments to settings to the supervisor of its processes."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
COMMANDS = {
    "token": "webrtc.token_command",
    "certificate": "webrtc.certificate_command",
    "network": "webrtc.network_command",
}
"""What may come in place of options, and the module whose `run` does it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server until a signal ends it; return the exit status."""
    if sys.version_info < (3, 11):  # noqa: UP036 — whoever starts an older one is told
        return _refuse("AG06 Mixer needs Python 3.11 or newer.")
    # Only now: these files use what older versions cannot read.
    from webrtc import logs, preflight, settings, settings_help, supervisor

    parser = argparse.ArgumentParser(
        prog="start_webrtc.py",
        description="Start AG06 Mixer, an audio conference and live mixing desk for browsers.\n"
        "Prints the address to open when everything is ready; ends on Ctrl-C or SIGTERM.\n\n"
        "`start_webrtc.py token --help`: print a join token.\n"
        "`start_webrtc.py certificate --help`: make a certificate for trials.\n"
        "`start_webrtc.py network --help`: simulate networks on a running server.",
        epilog=settings_help.for_terminal(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--check", action="store_true", help="check the settings and exit")
    given = sys.argv[1:] if arguments is None else list(arguments)
    command = given[0] if given and given[0] in COMMANDS else None
    only_check = command is None and parser.parse_args(given).check
    try:
        chosen = settings.load(os.environ)
        preflight.check_certificate(chosen)
        preflight.check_tracing()
        if only_check:
            sys.stdout.write("The settings are usable.\n")
            return 0
        preflight.check_python_packages(ROOT / "requirements.txt")
        if command is not None:
            # Only now: it may need packages.
            run = importlib.import_module(COMMANDS[command]).run
            sys.stdout.write(run(given[1:], chosen) + "\n")
            return 0
        for sentence in preflight.page_warnings(ROOT / "node_modules"):
            sys.stderr.write(sentence + "\n")
        with logs.writing("supervisor", chosen.log_level, kind=chosen.log_format):
            return supervisor.run(chosen, os.environ)
    except settings.StartError as error:
        return _refuse(str(error))
    except KeyboardInterrupt:  # before the supervisor listens to signals: nothing runs yet
        return 0


def _refuse(sentence: str) -> int:
    sys.stderr.write(sentence + "\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
