"""The community for writing, from a file that only its owner may read."""

from __future__ import annotations

from pathlib import Path

from denxanh.errors import SiteError
from denxanh.plc.ntcip.message import MAX_COMMUNITY

_OTHERS = 0o077


def community(path: Path) -> bytes:
    """The file's first line.

    Raises:
        SiteError: it cannot be read, others may read it, or it holds no community.
    """
    try:
        open_to = path.stat().st_mode & _OTHERS
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise SiteError(f"the community cannot be read: {error.strerror}", where=str(path)) from None
    if open_to:
        raise SiteError("others may read or write this file", where=str(path), fix=f"chmod 600 {path}")
    found = lines[0].strip() if lines else b""
    if not 1 <= len(found) <= MAX_COMMUNITY:
        raise SiteError("its first line is no community", where=str(path), fix="write it there, alone")
    return found
