"""The cards embassay knows: those it ships, then the user's own."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import msgspec

from embassay import remedy
from embassay.catalog.card import ModelCard, RerankerCard
from embassay.catalog.consistency import inconsistencies
from embassay.errors import CardError, ModelNotFound
from embassay.text import nearest_names, one_of

CARDS = Path(__file__).parent / "cards"

_ID = re.compile(r'^id = "([^"]+)"$', re.MULTILINE)
OFFERED = 3
"""Models that are offered for a part of their names."""
_Card = TypeVar("_Card", ModelCard, RerankerCard)


class Catalog:
    """Cards by id and by what providers call them. A later card replaces an earlier one of the same id."""

    def __init__(self, models: Iterable[ModelCard], rerankers: Iterable[RerankerCard] = ()) -> None:
        self.models = {card.id: card for card in models}
        self.rerankers = {card.id: card for card in rerankers}
        self._aliases = {alias: card for card in self.models.values() for alias in card.aliases}
        self._by_provider = {
            (provider, name): card for card in self.models.values() for provider, name in card.provider_ids.items()
        }

    def get(self, model: str) -> ModelCard | None:
        """The card of a model by its id or by one of its aliases."""
        return self.models.get(model) or self._aliases.get(model)

    def named(self, provider: str, model: str) -> ModelCard | None:
        """The card of what `provider` calls `model`; a server of open weights may use the Hugging Face id."""
        return self._by_provider.get((provider, model)) or self.models.get(model)

    def ids_of(self, provider: str) -> list[str]:
        """What `provider` calls the models of which there is a card."""
        return [name for other, name in self._by_provider if other == provider]

    def show(self, model: str) -> ModelCard | RerankerCard:
        """The card of a model or a reranker. Raises ModelNotFound, which names the nearest one."""
        found = self.get(model) or self.rerankers.get(model)
        if found:
            return found
        alike = remedy.say(self.alike(model, self.rerankers))
        shown = alike or remedy.command("models list", say="{} shows all.")
        raise ModelNotFound(f"no card for {model!r}.", remedy=shown)

    def alike(self, name: str, more: Iterable[str] = ()) -> str:
        """A question that offers models which `name` may mean, of the catalog and of `more`; empty where none is alike.

        A part of names, such as that of a family or of a provider, offers those that have it; else names are compared
        whole, and then by what people remember of them.
        """
        ids = list(dict.fromkeys([*more, *(id for id, card in self.models.items() if not card.retired)]))
        having = [id for id in ids if name.lower().strip("/") in id.lower()]
        if having:
            return one_of(having[:OFFERED], len(having))
        known = list(dict.fromkeys([*ids, *self._aliases]))
        near = nearest_names(name, known)
        if not near:
            short = {_short(other): other for other in known}
            near = [short[found] for found in nearest_names(_short(name), short)]
        return one_of(near) if near else ""

    def with_files(self, files: Iterable[Path]) -> Catalog:
        """This catalog and the user's own cards. Raises CardError."""
        own = [read_cards(file) for file in files]
        for models, _ in own:
            for card in models:
                for problem in inconsistencies(card):
                    raise CardError(f"{problem}.", remedy="Mend the card.")
        return Catalog(
            [*self.models.values(), *(card for models, _ in own for card in models)],
            [*self.rerankers.values(), *(card for _, rerankers in own for card in rerankers)],
        )


@lru_cache(maxsize=1)
def shipped() -> Catalog:
    """The cards of this version of embassay."""
    read = [read_cards(file) for file in sorted(CARDS.glob("*.toml"))]
    return Catalog((card for models, _ in read for card in models), (card for _, rs in read for card in rs))


@lru_cache(maxsize=1)
def shipped_ids() -> tuple[str, ...]:
    """The ids of the shipped models and rerankers, found without reading what else the cards hold."""
    texts = (file.read_text("utf-8") for file in sorted(CARDS.glob("*.toml")))
    return tuple(name for text in texts for name in _ID.findall(text))


@lru_cache(maxsize=64)
def shipped_for(name: str) -> Catalog:
    """Those of the shipped cards whose family mentions `name`. To open one model, one file is parsed and not all."""
    quoted = f'"{name}"'
    files = [file for file in sorted(CARDS.glob("*.toml")) if quoted in file.read_text("utf-8")]
    read = [read_cards(file) for file in files]
    return Catalog((card for models, _ in read for card in models), (card for _, rs in read for card in rs))


def read_cards(file: Path) -> tuple[list[ModelCard], list[RerankerCard]]:
    """The ``[[model]]`` and ``[[reranker]]`` rows of a family's file. Raises CardError."""
    try:
        data = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        mend = remedy.setting("cards", say="Mend {}: in embassay.yaml; paths are relative to that file.")
        raise CardError(f"{file} cannot be read: {error.strerror}.", remedy=mend) from error
    except (ValueError, RecursionError) as error:
        raise CardError(f"{file} cannot be read: {error}.", remedy="Mend the card.") from error
    return list(_rows(data, "model", ModelCard, file)), list(_rows(data, "reranker", RerankerCard, file))


def _short(name: str) -> str:
    """What people remember of an id: its last part, in lower case."""
    return name.rsplit("/", 1)[-1].lower()


def _rows(data: dict[str, object], table: str, kind: type[_Card], file: Path) -> Iterator[_Card]:
    rows = data.get(table, [])
    if not isinstance(rows, list):
        raise CardError(f"{file}: write [[{table}]], one for each model.")
    for row in rows:
        name = row.get("id", "a row without id") if isinstance(row, dict) else "a row"
        try:
            yield msgspec.convert({"family": file.stem, **row}, kind)
        except (msgspec.ValidationError, TypeError) as error:
            raise CardError(f"{file}, {name}: {error}.") from error
