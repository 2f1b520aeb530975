"""Where the program ``embassay`` begins. Nothing else is loaded before it listens for a Ctrl-C."""

from __future__ import annotations

from embassay.cli import interrupts


def main() -> None:
    """Run the command line."""
    interrupts.listen()
    from embassay.cli.main import main as run

    interrupts.watch(run)
