"""`python -m gateway.client`: the desktop client, on the terminal or in a window (`--gui`)."""

import asyncio
import sys
from collections.abc import Sequence

from gateway.client.devices import list_devices
from gateway.client.options import parse


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the client; return its exit status: 0 after leaving, 1 when the server ended it."""
    given, options = parse(arguments)
    if given.devices:
        sys.stdout.write(list_devices() + "\n")
        return 0
    try:
        if given.gui:
            from gateway.client.window import run as run_window

            return run_window(options)
        from gateway.client.console import run

        return asyncio.run(run(options))
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
