"""TLS to receivers: always 1.2 or newer, always with the receiver's name checked."""

from __future__ import annotations

import ssl
from pathlib import Path

from denxanh.controller.centre.feeds.settings import Tls
from denxanh.errors import SecretError
from denxanh.plc.security.secrets import secret_file


def context(settings: Tls, folder: Path) -> ssl.SSLContext:
    """What a connection needs; files are read each time, so that renewed certificates are taken up. Blocks.

    Raises:
        SecretError: a file cannot be used.
    """
    ca = None if settings.ca_file is None else folder / settings.ca_file
    try:
        made = ssl.create_default_context(cafile=ca)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.cert_file is not None and settings.key_file is not None:
            made.load_cert_chain(folder / settings.cert_file, secret_file(folder / settings.key_file))
    except (OSError, ssl.SSLError) as error:
        where = str(ca or settings.cert_file)
        raise SecretError(
            f"no certificate that can be used: {error.strerror or error}", where=where
        ) from error
    return made
