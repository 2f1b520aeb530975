"""Which configurations that were found the user has agreed to: by path and content, in the user's own state folder.

A record is one small file for each path. It holds a digest of the configuration and of the cards that it names, so
that a file which changes has to be agreed to again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from embassay import remedy
from embassay.errors import ConfigError, HomeNotWritable
from embassay.files import expanded, private_folder, write_whole

Standing = Literal["agreed", "changed", "unknown"]


def state_folder(env: Mapping[str, str] = os.environ) -> Path:
    """Where the user's own state lies: ``$XDG_STATE_HOME/embassay``, by default below ``~/.local/state``."""
    base = env.get("XDG_STATE_HOME") or os.path.join("~", ".local", "state")
    return Path(os.path.abspath(expanded(base))) / "embassay"


def digest_of(content: bytes, others: Sequence[Path] = ()) -> str:
    """Identifies a configuration together with the card files that it names; one that cannot be read counts as well."""
    made = hashlib.sha256(hashlib.sha256(content).digest())
    for file in others:
        try:
            read = file.read_bytes() if file.is_file() else b""
        except OSError:
            read = b""
        made.update(hashlib.sha256(os.fsencode(file)).digest() + hashlib.sha256(read).digest())
    return made.hexdigest()


def standing(file: Path, digest: str) -> Standing:
    """Whether the user has agreed to this content of `file`, to another one, or to none."""
    try:
        recorded = record_of(file).read_text("utf-8").split("\n", 1)[0]
    except (OSError, ValueError):
        return "unknown"
    return "agreed" if recorded == digest else "changed"


def agree(file: Path, digest: str) -> None:
    """Remember that the user agreed to this content of `file`. Raises HomeNotWritable."""
    record = record_of(file)
    try:
        private_folder(record.parent.parent)
        private_folder(record.parent)
    except OSError as error:
        mend = remedy.environment("XDG_STATE_HOME", "DIR", say="Choose another folder: {}")
        raise HomeNotWritable(f"{record.parent} cannot be written: {error.strerror}.", remedy=mend) from error
    write_whole(record, f"{digest}\n{os.path.realpath(file)}\n", private=True)


def withdraw(file: Path) -> bool:
    """Forget an agreement; whether there was one. Raises ConfigError."""
    record = record_of(file)
    try:
        record.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ConfigError(f"{record} cannot be deleted: {error.strerror}.") from error
    return True


def record_of(file: Path) -> Path:
    """The file that holds what the user said of `file`, whether it is there or not."""
    name = hashlib.sha256(os.fsencode(os.path.realpath(file))).hexdigest()
    return state_folder() / "agreed" / name
