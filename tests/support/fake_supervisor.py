"""The real supervisor over the children of fake_app.py; a program of its own, to be killed."""

import os
import sys

from webrtc import logs, settings, supervisor

if __name__ == "__main__":
    try:
        with logs.writing("supervisor", "INFO"):
            sys.exit(
                supervisor.run(
                    settings.load(os.environ),
                    os.environ,
                    (sys.executable, "-m", "tests.support.fake_app"),
                )
            )
    except settings.StartError as error:
        sys.exit(str(error))
