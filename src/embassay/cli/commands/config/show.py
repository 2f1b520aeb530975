from __future__ import annotations

import sys

from embassay.cli import common
from embassay.text import printable


def command(json: common.JsonOption = False) -> None:
    """Show the configuration in force: file and environment together, secrets masked.

    \b
    embassay config show
    """
    import msgspec
    import yaml

    from embassay.config.secrets import masked

    with common.opened_session() as session:
        config = session.config
    data = msgspec.to_builtins(config, enc_hook=str)
    file = data.pop("file")
    data.pop("found")
    trust = data.pop("trust")
    data = masked(data)
    if json:
        common.print_json({"file": file, "trust": trust, **data})
        return
    common.console().print(f"# {file or 'no embassay.yaml here or above: defaults'}", style="dim")
    dumped = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    if dumped != printable(dumped, lines=True):
        dumped = yaml.safe_dump(data, sort_keys=False)  # everything but ASCII is escaped: nothing is lost
    sys.stdout.write(dumped)
