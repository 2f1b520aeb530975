from __future__ import annotations

from embassay.cli import common
from embassay.cli.tables import line


def command(
    file: common.ConfigurationArgument = None,
    json: common.JsonOption = False,
) -> None:
    """Take back the agreement to a configuration; one that is gone can be named as well.

    \b
    embassay config deny
    embassay config deny ../embassay.yaml
    """
    from embassay.config import agreement
    from embassay.config.reading import nearest_file
    from embassay.errors import ConfigError

    chosen = file.absolute() if file else nearest_file()
    if chosen is None:
        raise ConfigError("no embassay.yaml here or above.", remedy="Name the file.")
    if not agreement.withdraw(chosen):
        raise ConfigError(f"nobody has agreed to {chosen}, so that there is nothing to take back.")
    if json:
        common.print_json({"file": str(chosen), "trust": "found"})
    else:
        common.console().print(line("No longer agreed to: ", (str(chosen), "bold")))
