"""`python -m mixer`: mix files, or see a demonstration; `--help` says how."""

import sys

from mixer.cli.command import main

if __name__ == "__main__":
    sys.exit(main())
