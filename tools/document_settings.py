"""Write the settings table of webrtc/settings.py into .env.example and docs/operations.md."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGIN = "<!-- settings: written by tools/document_settings.py -->\n"
END = "<!-- end of settings -->\n"


def main() -> None:
    """Rewrite both files; the manual keeps everything outside the two marks."""
    sys.path.insert(0, str(ROOT))
    from webrtc.settings_help import for_env_file, for_manual

    (ROOT / ".env.example").write_text(for_env_file(), "utf-8")
    manual = ROOT / "docs/operations.md"
    before, _, rest = manual.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    manual.write_text(f"{before}{BEGIN}\n{for_manual()}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
