from __future__ import annotations

import sys

from embassay.cli import common


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
    data = masked(data)
    if json:
        common.print_json({"file": file, **data})
        return
    common.console().print(f"# {file or 'no embassay.yaml here or above: defaults'}", style="dim")
    yaml.safe_dump(data, sys.stdout, sort_keys=False, allow_unicode=True)
