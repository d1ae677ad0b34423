"""How long tests wait for what must come."""

from typing import Final

PATIENCE_S: Final = 45.0
"""No bar for speed: a shared machine may halt everybody for seconds, and compiles on first use."""
PATIENCE_MS: Final = 1000 * PATIENCE_S
"""The same, as browsers are told."""
