"""The certificate of a server and its key, looked at before it begins to listen."""

from __future__ import annotations

import os
import ssl
import stat
from pathlib import Path

from embassay.errors import UsageError


def checked_tls(cert: Path | None, key: Path | None) -> dict[str, str]:
    """What uvicorn is told of them; nothing where there is neither.

    Raises UsageError where one of the two is missing or cannot be read, where others can read the key, where it has a
    passphrase, or where they do not belong together.
    """
    if cert is None and key is None:
        return {}
    if cert is None or key is None:
        raise UsageError("TLS needs both tls_cert and tls_key.", remedy="Name the other file as well.")
    for name, file in (("tls_cert", cert), ("tls_key", key)):
        if not file.is_file() or not os.access(file, os.R_OK):
            raise UsageError(f"{name} is {file}, which is no file that can be read.")
    if os.name == "posix" and stat.S_IMODE(key.stat().st_mode) & stat.S_IROTH:
        raise UsageError(f"everybody on this machine can read {key}.", remedy=f"Take that right away: chmod 600 {key}")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, _no_passphrase)
    except _PassphraseError as error:
        raise UsageError(
            f"{key} has a passphrase.", remedy="Name a key without one, which only you can read."
        ) from error
    except (ssl.SSLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or str(error)
        if reason == "KEY_VALUES_MISMATCH":
            raise UsageError(f"{key} is not the key of {cert}.", remedy="Name those that belong together.") from error
        raise UsageError(
            f"{cert} and {key} are no certificate and its key ({reason}).", remedy="Both are files in PEM format."
        ) from error
    return {"ssl_certfile": str(cert), "ssl_keyfile": str(key)}


class _PassphraseError(Exception):
    pass


def _no_passphrase() -> str:
    """Nobody is asked at the terminal, where a server may have none."""
    raise _PassphraseError
