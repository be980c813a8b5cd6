"""`python -m denxanh.controller.centre SITE.toml`: the centre of one site, as `denxanh console` starts it."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from denxanh.controller.centre.host import run
from denxanh.errors import DenXanhError


def main(arguments: list[str] | None = None) -> int:
    """Serve the centre; status 1 and one clear message when it cannot be served."""
    parser = argparse.ArgumentParser(
        prog="python -m denxanh.controller.centre", description="The centre over a site's journal."
    )
    parser.add_argument("site", type=Path, help="SITE.toml")
    parser.add_argument("--host", help="default: the site's [console], else this machine only")
    parser.add_argument("--port", type=int, help="default: the site's [console], else 8420")
    parser.add_argument(
        "--guest-link",
        type=Path,
        metavar="FILE",
        help="of a simulated street on this machine only: write the path of a one-time login link into FILE",
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        run(options.site, host=options.host, port=options.port, guest_link=options.guest_link)
    except DenXanhError as error:
        sys.stderr.write(f"centre: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
