"""Writes docs/providers/*.md from each provider's code, the cards of its models and its golden file.

python -m tools.provider_docs
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from embassay import plugins
from embassay.catalog.card import ModelCard
from embassay.catalog.catalog import shipped
from embassay.catalog.runnable import runs_here
from embassay.embedders.settings import HttpSettings, Settings
from embassay.models.provider import PROVIDERS

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "providers"
GOLDEN = ROOT / "tests" / "embedders" / "golden"
NOTE = "<!-- Written by tools/provider_docs.py from the provider's code and cards: change those. -->\n"


def pages() -> dict[str, str]:
    """Name of each page and its text."""
    modules = {name: plugins.load(PROVIDERS, name) for name in plugins.names(PROVIDERS)}
    made = {name: _page(name, module) for name, module in modules.items()}
    return made | {"index": _index(modules)}


def _index(modules: dict[str, ModuleType]) -> str:
    lines = [NOTE, "# Providers", "", "A provider runs models. A model is written `provider/model`; a Hugging Face id", "alone is run by `local`.", "",
             "| provider | what it is | models with a card |", "|---|---|---|"]  # fmt: skip
    for name, module in modules.items():
        first = _one_line(module).rstrip(".")
        lines.append(f"| [{name}]({name}.md) | {first} | {len(_cards(name))} |")
    shared = [
        "",
        "## Settings of every provider",
        "",
        *_settings(Settings, ()),
        "",
        "## Settings of every provider over HTTP",
        "",
        *_settings(HttpSettings, _names(Settings)),
        "",
        "Times are written `30`, `30s`, `500ms`, `5m`, `12h` or `30d`.",
    ]
    return "\n".join([*lines, *shared]) + "\n"


def _page(name: str, module: ModuleType) -> str:
    kind = module.Settings
    parts = [NOTE, f"# {name}", "", inspect.cleandoc(module.__doc__ or "").replace("``", "`"), ""]
    apis = [v for v in vars(module).values() if inspect.isclass(v) and v.__module__ == module.__name__]
    keys = dict.fromkeys(name for api in apis for name in getattr(api, "key_variables", ()))
    if keys:
        parts += ["The key is read from " + " or ".join(f"`{v}`" for v in keys) + ".", ""]
    url_variable = next((v.url_variable for v in vars(module).values() if getattr(v, "url_variable", "")), "")
    if url_variable:
        parts += [f"Another address is read from `{url_variable}`, if `base_url` is not set.", ""]
    own = _settings(kind, _names(HttpSettings) if issubclass(kind, HttpSettings) else _names(Settings))
    if own:
        parts += ["## Settings of its own", "", *own, ""]
    parts += ["The settings that [all providers share](index.md#settings-of-every-provider) hold too.", ""]
    parts += _example(name)
    cards = _cards(name)
    if cards:
        parts += ["## Models with a card", "", *_table(cards), ""]
    return "\n".join(parts).rstrip() + "\n"


def _one_line(module: ModuleType) -> str:
    return (module.__doc__ or "").strip().splitlines()[0].replace("``", "`")


def _cards(name: str) -> list[tuple[str, ModelCard]]:
    if name in ("sentence-transformers", "onnx", "tei"):
        return []  # whatever is open
    if name == "local":
        return [(card.id, card) for card in shipped().models.values() if card.open_weights and runs_here(card)]
    return [(card.provider_ids[name], card) for card in shipped().models.values() if name in card.provider_ids]


def _table(cards: list[tuple[str, ModelCard]]) -> list[str]:
    rows = [
        "| model | dimensions | fewer dimensions | tokens | role | $ per million tokens |",
        "|---|---|---|---|---|---|",
    ]
    for name, card in cards:
        cuts = card.allowed_dimensions() if card.can_cut else ""
        limit = "any" if card.unlimited_tokens else f"{card.max_tokens:,}" if card.max_tokens else "unknown"
        price = (
            f"{card.usd_per_million_tokens:g} ({card.price_date})" if card.usd_per_million_tokens is not None else ""
        )
        retired = f" (retired {card.retired})" if card.retired else ""
        rows.append(
            f"| `{name}`{retired} | {card.dimensions or 'unknown'} | {cuts} | {limit} | {_role(card)} | {price} |"
        )
    return rows


def _role(card: ModelCard) -> str:
    if card.role_parameter:
        return "parameter"
    if card.prompts:
        return "; ".join(
            f"{role}: `{json.dumps(text, ensure_ascii=False)[1:-1]}`" for role, text in card.prompts.items()
        )
    return "none" if card.prompts_known else "unknown"


def _settings(kind: type[Settings], without: tuple[str, ...]) -> list[str]:
    notes = _field_notes(kind)
    rows = []
    for field in msgspec.structs.fields(kind):
        if field.name in (*without, *kind.UNREADABLE):
            continue
        rows.append(f"| `{field.name}` | {_default(field)} | {notes.get(field.name, '')} |")
    return ["| setting | default | |", "|---|---|---|", *rows] if rows else []


def _default(field: Any) -> str:
    value = field.default if field.default is not msgspec.NODEFAULT else None
    if value is None or value == "" or field.default_factory is not msgspec.NODEFAULT:
        return ""
    return (
        f"`{int(value)}s`"
        if type(value).__name__ == "Seconds"
        else f"`{str(value).lower() if isinstance(value, bool) else value}`"
    )


def _field_notes(kind: type) -> dict[str, str]:
    """The strings below the fields, of the class and those it extends."""
    notes: dict[str, str] = {}
    for cls in reversed(kind.__mro__):
        if cls.__module__.startswith("embassay"):
            notes |= _notes_in(inspect.getsource(cls))
    return notes


def _notes_in(source: str) -> dict[str, str]:
    (body,) = ast.parse(textwrap.dedent(source)).body
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, note in zip(body.body, body.body[1:], strict=False):
        match field, note:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=text)):
                found[name] = " ".join(str(text).split()).replace("``", "`")
    return found


def _names(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(field.name for field in msgspec.structs.fields(kind))


def _example(name: str) -> list[str]:
    """How to configure it, and the request that this makes: the first case of its golden file."""
    file = GOLDEN / f"{name}.json"
    if not file.is_file():
        return []
    golden = json.loads(file.read_text("utf-8"))
    case = golden["cases"][0]
    settings = {"provider": name} | {k: v for k, v in case["settings"].items() if k != "api_key"}
    listed = ", ".join(
        f"{k}: {json.dumps(v)}" if isinstance(v, str) and ":" in v else f"{k}: {v}" for k, v in settings.items()
    )
    body = json.dumps(case["request"]["body"], ensure_ascii=False)
    return ["## For example", "", "```yaml", "embeddings:", "  models:", f"    mine: {{{listed}}}", "```", "",
            "makes this request for two texts:" if len(case["texts"]) > 1 else "makes this request for a text:", "", "```",
            f"POST {case['request']['url']}", *([f"{n}: ..." for n in case["request"]["headers"]]), "", body, "```", "",
            f"Shapes are those of: {golden['source']}.", ""]  # fmt: skip


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    wanted = pages()
    for old in FOLDER.glob("*.md"):
        if old.stem not in wanted:
            old.unlink()
    for name, text in wanted.items():
        (FOLDER / f"{name}.md").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
