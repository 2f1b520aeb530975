"""What was spent for the holders of keys: entries of the ledger whose purpose is a key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from embassay.config.values import LEDGER_FILE
from embassay.models.ledger import Ledger, Term

PURPOSE = "key "
"""Before the id of a key, where the ledger says for what money was spent."""


def purpose_of(key_id: str) -> str:
    """For what money is spent that a request of this key costs, as the ledger has it."""
    return PURPOSE + key_id


def spent_by_key(folder: Path) -> Mapping[str, float]:
    """USD since each key was made, by its id, in the home of this folder. Raises LedgerError."""
    ledger = Ledger(folder / LEDGER_FILE)
    spent: defaultdict[str, float] = defaultdict(float)
    try:
        for entry in ledger.entries(Term()):
            if entry.purpose.startswith(PURPOSE):
                spent[entry.purpose.removeprefix(PURPOSE)] += entry.usd
    finally:
        ledger.close()
    return spent
