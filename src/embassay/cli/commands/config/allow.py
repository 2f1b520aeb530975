from __future__ import annotations

from embassay.cli import common
from embassay.cli.tables import line


def command(
    file: common.ConfigurationArgument = None,
    json: common.JsonOption = False,
) -> None:
    """Agree to a configuration that was found: it may then send secrets and texts where it says, and run commands.

    Read it first. The agreement holds for its content and that of the cards that it names: a file that changes has to
    be agreed to again. A file that you name in EMBASSAY_CONFIG needs none.

    \b
    embassay config allow
    embassay config allow ../embassay.yaml
    """
    from embassay.config import agreement
    from embassay.config.reading import load_config, read_source
    from embassay.errors import ConfigError
    from embassay.models.check import secrets_of
    from embassay.models.registry import Registry

    source = read_source(file, {})
    if source is None:
        raise ConfigError("no embassay.yaml here or above.", remedy="Name the file that you agree to.")
    with Registry(load_config(source.file, {})) as registry:  # a file that cannot be read is agreed to by nobody
        uses = {name: secrets_of(registry, name) for name in registry.names()}
    agreement.agree(source.file, source.digest)
    if json:
        secrets = [{"model": name, **use.to_dict()} for name, found in uses.items() for use in found]
        common.print_json({"file": str(source.file), "digest": source.digest, "trust": "agreed", "secrets": secrets})
        return
    out = common.console()
    out.print(line("Agreed to ", (str(source.file), "bold"), " as it is now."))
    for name, found in uses.items():
        for use in found:
            out.print(line(f"  {name} sends {use.secret} to {use.to} ({use.carried_by})"))
