"""Judge the pages by Lighthouse: `make lighthouse`.

Needs npm and Chromium; fetches Lighthouse once, which is too large to be a package of the project.
Ends with 1 when a score is below what we promise.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from local_server import CHROMIUM, local_server

LIGHTHOUSE = "lighthouse@12.8.2"
CATEGORIES = ("accessibility", "best-practices", "performance")
LEAST = 0.95
PAGES = ("", "sessions.html")
FORMS = ("desktop", "phone")


def judge(url: str, form: str) -> dict[str, float]:
    """Return a page's scores, 0 to 1."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            *("npx", "--yes", LIGHTHOUSE, url, "--quiet"),
            *("--output=json", f"--output-path={report}"),
            f"--only-categories={','.join(CATEGORIES)}",
            "--chrome-flags=--headless=new --no-sandbox",
            *(["--preset=desktop"] if form == "desktop" else []),
        ]
        subprocess.run(command, check=True, env={**os.environ, "CHROME_PATH": CHROMIUM})
        categories = json.loads(report.read_text("utf-8"))["categories"]
    return {name: categories[name]["score"] for name in CATEGORIES}


def main() -> None:
    """Judge all pages in all forms."""
    lowest = 1.0
    with local_server() as url:
        for page in PAGES:
            for form in FORMS:
                scores = judge(f"{url}/{page}", form)
                lowest = min(lowest, *scores.values())
                figures = ", ".join(f"{name} {score * 100:.0f}" for name, score in scores.items())
                print(f"{page or 'the room':<14} {form:<8} {figures}", flush=True)
    sys.exit(lowest < LEAST)


if __name__ == "__main__":
    main()
