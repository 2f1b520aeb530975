"""Numbers that decide how documents are read and cut, for whoever needs them without loading what reads and cuts."""

from __future__ import annotations

MAX_FILE_MB = 32.0
"""Larger files are left out unless the caller says otherwise, in 10^6 bytes."""
DEFAULT_TOKENS = 512
"""Most tokens of a chunk, unless the caller says otherwise.

Some models take 8,192; a hit as long as that would not show where in a document the answer stands.
"""
RULES = 1
"""Version of the rules by which documents are cut. A change of them makes a new version: sets that were made by the old
one and cuts that are remembered are told apart by it."""
