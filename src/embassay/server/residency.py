"""Models are loaded when they are asked for; those that nobody needs any more, or that there is no room for, go."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.embedders.wrap.batched import Batched
from embassay.threads import in_thread

if TYPE_CHECKING:
    from embassay.server.served import ServedModels

LOOK_SECONDS = 5.0
LEAST_FREE = 0.05
"""The share of the memory below which models are unloaded, however lately they were used."""
_log = logging.getLogger("embassay.server")


class Residency:
    """Unloads the models of one server, those first that were used least recently."""

    def __init__(self, models: ServedModels, keep_alive: float) -> None:
        self._models, self._keep_alive = models, keep_alive

    async def watch(self) -> None:
        """Look every few seconds, until this is cancelled; in a thread of its own, for when all others are taken."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await in_thread(self.unload)
            except Exception:
                _log.exception("models could not be unloaded")

    def unload(self) -> list[str]:
        """Unload what was idle for too long, and one more where memory is short; the names of those."""
        idle = [(embedder.idle_seconds, name, embedder) for name, embedder in self._loaded()]
        idle.sort(reverse=True, key=lambda one: one[0])
        over = [one for one in idle if one[0] > self._models.keep_alive(one[1], self._keep_alive)]
        if not over and idle and idle[0][0] > 0 and free_share() < LEAST_FREE:
            over = idle[:1]
        for _, name, embedder in over:
            self._models.forget(name)
            embedder.close()
            _log.info("model %s was unloaded", name)
        return [name for _, name, _ in over]

    def _loaded(self) -> list[tuple[str, Batched]]:
        return [(name, one) for name, one in self._models.loaded() if isinstance(one, Batched) and not one.remote]


def free_share() -> float:
    """The share of the memory that is free: of this machine, or of the control group that the process runs in."""
    try:
        fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines() if ":" in line)
        whole, free = (int(fields[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    except (OSError, KeyError, ValueError):
        return 1.0
    share = free / whole
    try:
        most = int(Path("/sys/fs/cgroup/memory.max").read_text())
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        cached = dict(line.split() for line in Path("/sys/fs/cgroup/memory.stat").read_text().splitlines())
        used -= int(cached.get("inactive_file", 0))
        share = min(share, 1 - used / most)
    except (OSError, ValueError):
        pass
    return share
