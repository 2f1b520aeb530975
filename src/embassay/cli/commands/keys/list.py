from __future__ import annotations

import time
from typing import TYPE_CHECKING

from embassay.cli import common, words
from embassay.cli.keys import facts_of, opened_keys
from embassay.cli.tables import table

if TYPE_CHECKING:
    from embassay.server.keys.key import ApiKey
    from embassay.server.keys.use import Use


def command(home: common.HomeOption = None, json: common.JsonOption = False) -> None:
    """List the keys: what each may do, its limits, when it was used last, and what it took and spent.

    What was spent is that of hosted models, since the key was made, as the ledger has it.

    \b
    embassay keys list
    embassay keys list --json
    """
    from embassay.server.keys.spend import spent_by_key

    with opened_keys(home) as store:
        keys, folder = store.all(), store.file.path.parent
        use = {key.id: store.use.read(key.slot, key.id) for key in keys}
    spent = spent_by_key(folder)
    if json:
        rows = [facts_of(key) | _used(use[key.id]) | {"usd": spent.get(key.id, 0.0)} for key in keys]
        common.print_json({"keys": rows})
        return
    if not keys:
        common.console().print("No key was made yet: the server answers to this machine alone.")
        return
    names = ("key", "may", "sets", "models", "rpm", "tpm", "state", "last used", "requests", "tokens", "spent")
    rows_shown = [_row(key, use[key.id], spent.get(key.id, 0.0)) for key in keys]
    common.console().print(table(names, rows_shown, left=("may", "state", "last used"), wrap=("sets", "models")))


def _row(key: ApiKey, use: Use, usd: float) -> list[str]:
    now, grant = time.time(), key.grant
    state: str = key.state(now)
    if state == "live" and grant.expires is not None:
        state = f"{words.duration(grant.expires - now)} left"
    return [
        key.name,
        grant.right,
        "all" if grant.sets is None else ", ".join(grant.sets),
        "all" if grant.models is None else ", ".join(grant.models),
        *("-" if limit is None else f"{limit:,}" for limit in (grant.rates.requests, grant.rates.tokens)),
        state,
        f"{words.duration(max(0.0, now - use.last))} ago" if use.last else "never",
        f"{use.requests:,}",
        f"{use.tokens:,}",
        words.dollars(usd) if usd else "-",
    ]


def _used(use: Use) -> dict[str, object]:
    return {"requests": use.requests, "tokens": use.tokens, "last_used": use.last or None}
