"""How long the police's signal-state log takes to catch up a backlog, batch by batch as a feed reads it.

    python benchmarks/signal_log.py month/site.toml --packages 1000

Says packages, statements and time, and a hash over all packages: a change that makes it quicker must leave
that hash as it is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from pathlib import Path

from sqlalchemy import event

from denxanh.controller import site as sites
from denxanh.controller.centre.feeds.sources import SOURCES
from denxanh.controller.centre.store.archive import open_store


def main() -> None:
    """Read the log once from its beginning."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("site", type=Path, help="SITE.toml whose store is filled")
    parser.add_argument("--packages", type=int, default=1000, help="at most so many, about")
    parser.add_argument("--batch", type=int, default=100, help="as the feed's")
    args = parser.parse_args()
    site = sites.load(args.site)
    source = SOURCES["signal-log"](site.corridor)
    store = open_store(site.store, make=False)
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    after, packages, seen, batches = None, 0, hashlib.sha256(), 0
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    with store.reading() as connection:
        event.listen(connection, "before_cursor_execute", count)
        while packages < args.packages:
            if after is not None:
                source.gap(connection, after)
            found = source.read(connection, after, args.batch)
            if not found:
                break
            after, packages, batches = found[-1].position, packages + len(found), batches + 1
            for one in found:
                seen.update(json.dumps(dict(one.body), sort_keys=True).encode())
    wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    store.close()
    said = (
        f"{packages} packages in {batches} batches: {statements} statements,",
        f"{cpu_s:.1f} s of processor time, {wall_s:.1f} s,",
        f"{1000 * cpu_s / max(packages, 1):.1f} ms of processor time a package; hash {seen.hexdigest()[:16]}",
    )
    sys.stdout.write(" ".join(said) + "\n")


if __name__ == "__main__":
    main()
