"""Where a server listens."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import Literal

from embassay import remedy
from embassay.errors import UsageError

BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens."""

    host: str = "127.0.0.1"
    port: int = 8080
    scheme: Literal["http", "https"] = "http"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def bound(address: Address) -> socket.socket:
    """A socket that listens at an address. Raises UsageError where it is taken, or is none of this machine."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name != "nt":
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((address.host, address.port))
        taken.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        taken.close()
        words = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{address} cannot be listened on: {words}.", remedy=remedy.option("port", 0, say="{} takes a free port.")
        ) from error
    taken.setblocking(False)
    return taken
