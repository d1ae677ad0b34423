"""Fetches the free data: Debian packages, unpacked into the cache; nothing is installed."""

import csv
import subprocess
import zipfile
from pathlib import Path
from typing import Final

from training.cache import cache_folder, packages_folder

TRACKS: Final = Path(__file__).parent / "tracks.csv"
RENDERING: Final = ("mma", "timgm6mb-soundfont", "fluid-soundfont-gm")
"""What jazz is rendered with: no real jazz is free beyond a handful of tracks."""

_ARCHIVES: Final = {
    "nexuiz-music": "usr/share/games/nexuiz/data/music.pk3",
    "ufoai-music": "usr/share/games/ufoai/base/0music.pk3",
    "openarena-088-data": "usr/share/games/openarena/baseoa/pak6-patch088.pk3",
    "0ad-data": "usr/share/games/0ad/mods/public/public.zip",
}


def rows() -> list[tuple[str, str, str]]:
    """Return label, package and file of each row of the list."""
    with TRACKS.open(newline="", encoding="utf-8") as listed:
        return [
            (r["label"], r["debian_package"], r["file_in_package"]) for r in csv.DictReader(listed)
        ]


def fetch_all() -> None:
    """Fetch and unpack what is not there yet.

    Raises:
        subprocess.CalledProcessError: a package cannot be fetched.
    """
    downloads = cache_folder() / "debs"
    downloads.mkdir(parents=True, exist_ok=True)
    for package in sorted({package for _, package, _ in rows()}) + list(RENDERING):
        folder = packages_folder() / package
        if not folder.exists():
            _fetch(package, downloads, folder)
        if package in _ARCHIVES:
            _unpack(folder / _ARCHIVES[package])


def _fetch(package: str, downloads: Path, folder: Path) -> None:
    print(f"fetching {package}", flush=True)
    if not list(downloads.glob(f"{package}_*.deb")):
        subprocess.run(["apt-get", "download", package], cwd=downloads, check=True)
    unfinished = folder.with_suffix(".part")
    deb = next(downloads.glob(f"{package}_*.deb"))
    subprocess.run(["dpkg", "-x", str(deb), str(unfinished)], check=True)
    unfinished.rename(folder)


def _unpack(archive: Path) -> None:
    """Unpack the tracks inside an archive into a folder `unz` beside it, as the list names them."""
    target = archive.parent / "unz"
    with zipfile.ZipFile(archive) as opened:
        for name in opened.namelist():
            wanted = (name.endswith(".ogg") and "music" in name) or "cdtracks/" in name
            if wanted and not (target / name).exists():
                opened.extract(name, target)
