"""Sessions that stay open between calls of `embassay.embed`, so that a call takes what its model takes.

Each holds one model; the models that were used least recently are let go. Whatever decides what a model is, the
configuration, the cards that it names, the user's agreement to it, the environment and the working folder, is looked at
before each call: where it has changed, the session is made anew, and the old one is closed once nobody uses it.
"""

from __future__ import annotations

import atexit
import os
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from embassay.config import agreement
from embassay.config.reading import ENV_PREFIX, nearest_file
from embassay.files import expanded
from embassay.session import Session

MOST_MODELS = 4
"""Models that are kept open."""

Stamp = tuple[int, int, int]
"""When a file was changed last (ns), its size and its number; all -1 where there is none."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a session was made in."""

    folder: str
    """The working folder, from which paths and the configuration are looked up."""
    environment: Mapping[str, str]
    file: Path | None
    """The configuration."""

    @classmethod
    def now(cls) -> Surroundings:
        """Those of this moment."""
        try:
            folder = str(Path.cwd())
        except OSError:  # it was deleted
            return cls("", dict(os.environ), None)
        named = os.environ.get(f"{ENV_PREFIX}CONFIG")
        return cls(folder, dict(os.environ), Path(folder, expanded(named)) if named else nearest_file())


@dataclass(slots=True)
class _Warm:
    """One open session, and who uses it."""

    session: Session
    surroundings: Surroundings
    stamps: dict[Path, Stamp] = field(default_factory=dict)
    users: int = 0
    is_over: bool = False

    def read(self) -> None:
        """Note the state of all files that decide what the models of the session are. Raises ConfigError."""
        file = self.surroundings.file
        if file is None:
            return
        self.stamps = {one: stamp(one) for one in (file, agreement.record_of(file))}
        for card in self.session.config.card_files():
            self.stamps[card] = stamp(card)

    def is_as(self, surroundings: Surroundings) -> bool:
        """Whether nothing has changed that the session was made of."""
        return self.surroundings == surroundings and all(stamp(file) == was for file, was in self.stamps.items())


class WarmSessions:
    """The sessions of a process, one for each model. Threads may share it."""

    def __init__(self, most: int = MOST_MODELS) -> None:
        self._most = most
        self._open: OrderedDict[object, _Warm] = OrderedDict()
        self._run = secrets.token_hex(8)
        self._lock = threading.Lock()

    @contextmanager
    def using(self, model: object) -> Iterator[Session]:
        """The session that is kept for `model`, for the time of the block. Raises ConfigError."""
        warm = self._enter(model, Surroundings.now())
        try:
            yield warm.session
        finally:
            with self._lock:
                warm.users -= 1
                ended = warm.is_over and not warm.users
            if ended:
                warm.session.close()

    def close(self) -> None:
        """Let all models go: those in use when their call has ended."""
        with self._lock:
            over = [self._end(model) for model in list(self._open)]
        _close(over)

    def abandon(self) -> list[_Warm]:
        """Begin anew without closing anything, in a process that was forked; what the other process owns."""
        theirs = list(self._open.values())
        self.__init__(self._most)  # type: ignore[misc]
        return theirs

    def _enter(self, model: object, surroundings: Surroundings) -> _Warm:
        over: list[_Warm] = []
        with self._lock:
            warm = self._open.get(model)
            if warm is not None and not warm.is_as(surroundings):
                over.append(self._end(model))
                warm = None
            if warm is None:
                warm = _Warm(Session(run=self._run), surroundings)
                warm.read()
                self._open[model] = warm
                while len(self._open) > self._most:
                    over.append(self._end(next(iter(self._open))))
            self._open.move_to_end(model)
            warm.users += 1
        _close(over)
        return warm

    def _end(self, model: object) -> _Warm:
        warm = self._open.pop(model)
        warm.is_over = True
        return warm


def _close(over: list[_Warm]) -> None:
    for warm in over:
        if not warm.users:
            warm.session.close()


def stamp(file: Path) -> Stamp:
    """What tells one state of a file from another."""
    try:
        found = file.stat()
    except (OSError, ValueError):
        return (-1, -1, -1)
    return (found.st_mtime_ns, found.st_size, found.st_ino)


SESSIONS = WarmSessions()
"""Those of this process."""
_ABANDONED: list[_Warm] = []
"""Sessions of the process that this one was forked from: they are neither used nor closed here."""


def close() -> None:
    """Let go of the models that `embassay.embed` keeps open. The next call opens what it needs again."""
    SESSIONS.close()


atexit.register(close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _ABANDONED.extend(SESSIONS.abandon()))
