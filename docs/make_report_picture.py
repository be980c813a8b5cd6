"""The picture of a report's first page: `python docs/make_report_picture.py SITE.toml [--month YYYY-MM]`.

Makes the monthly report of a site (say, of `denxanh simulate-month`) and writes its first page as
`docs/pictures/report-monthly.png`. Needs the extra `reports`, and Poppler's pdftoppm.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

PICTURES = Path(__file__).parent / "pictures"
DOTS = 90
"""Of the picture, per inch."""


def main() -> int:
    """Take the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("site", type=Path)
    parser.add_argument("--month", help="default: the last complete one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "denxanh.cli", "report", "monthly", str(options.site)]
        command += [
            "--format",
            "pdf",
            "--out",
            folder,
            *(["--month", options.month] if options.month else []),
        ]
        made = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        target = PICTURES / "report-monthly"
        page = ["pdftoppm", "-r", str(DOTS), "-f", "1", "-l", "1", "-singlefile", "-png", made, str(target)]
        subprocess.run(page, check=True)
    sys.stdout.write(f"{target}.png\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
