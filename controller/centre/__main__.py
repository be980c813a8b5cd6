"""`python -m denxanh.controller.centre SITE.toml [--host H] [--port P]`: the page of one site."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from denxanh.controller import site
from denxanh.controller.centre.app import create_app
from denxanh.controller.centre.server import DEFAULT_HOST, DEFAULT_PORT, bind, serve
from denxanh.controller.journal import JOURNAL_NAME
from denxanh.controller.narrate import ungated
from denxanh.errors import DenXanhError


def main(arguments: list[str] | None = None) -> int:
    """Serve the page; status 1 and one clear message when it cannot be served."""
    parser = argparse.ArgumentParser(
        prog="python -m denxanh.controller.centre", description="The live page over a site's journal."
    )
    parser.add_argument("site", type=Path, help="SITE.toml")
    parser.add_argument("--host", help=f"default: the site's [console], else {DEFAULT_HOST}")
    parser.add_argument("--port", type=int, help=f"default: the site's [console], else {DEFAULT_PORT}")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        _serve(options.site, options.host, options.port)
    except DenXanhError as error:
        sys.stderr.write(f"centre: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _serve(path: Path, host: str | None, port: int | None) -> None:
    found = site.load(path)
    console = found.console
    host = host or (console.host if console else DEFAULT_HOST)
    port = port if port is not None else (console.port if console else DEFAULT_PORT)
    listening = bind(host, port)
    logging.getLogger(__name__).info("the page is at http://%s:%d/", host, listening.getsockname()[1])
    event = ungated(found.ungated)
    app = create_app(
        found.corridor,
        found.state_dir / JOURNAL_NAME,
        policy=found.policy,
        warning=(event.text_vi, event.text_en) if found.unfit else None,
        host=host,
    )
    serve(app, listening)


if __name__ == "__main__":
    sys.exit(main())
