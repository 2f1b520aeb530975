"""How a run tells of itself."""

from __future__ import annotations


class Progress:
    """Called as a run goes on; override what is of interest. Calls come from the thread that runs the build."""

    def start(self, total_bytes: int, files: int) -> None: ...

    def advance(self, done_bytes: int, chunks: int) -> None:
        """Bytes of input finished so far, and chunks stored."""

    def note(self, text: str) -> None:
        """Something worth a line."""
