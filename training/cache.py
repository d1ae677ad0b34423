"""Where data lie: outside the repository."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder of fetched and computed data: `GENRE_CACHE`, or in the user's cache."""
    named = os.environ.get("GENRE_CACHE")
    if named:
        return Path(named)
    caches = os.environ.get("XDG_CACHE_HOME")
    return (Path(caches) if caches else Path.home() / ".cache") / "ag06-genre"


def packages_folder() -> Path:
    """Return where unpacked packages lie, each in a folder of its name."""
    return cache_folder() / "data"
