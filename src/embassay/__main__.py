"""``python -m embassay``: the command line, where the package is there and its script is not on the path."""

from __future__ import annotations

from embassay.cli.start import main

main()
