"""`python -m dsp.genre FILE…`."""

import sys

from dsp.genre.command import main

sys.exit(main())
