"""Names of models looked up: with what settings one is opened, and the card that describes it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from embassay import remedy
from embassay.config.reading import checked
from embassay.config.unagreed import Unagreed
from embassay.config.values import DEFAULT_PROVIDER, Config
from embassay.embedders.settings import Settings
from embassay.errors import ConfigError, DownloadFailed, ModelNotFound
from embassay.models.provider import load_provider, provider_names
from embassay.models.reference import check_dimensions, names_provider, parse_reference, provider_of
from embassay.text import did_you_mean, nearest_name, nearest_names, one_of

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.catalog.catalog import Catalog


MISSPELT = 0.75
"""Least similarity of a name that was probably meant, where one that is spelled otherwise may exist as well."""


class Lookup:
    """Looks names up in one configuration and the catalog."""

    def __init__(self, config: Config) -> None:
        """Raises ConfigError or PluginError for settings that no provider has, and for names that lead nowhere."""
        self._config = config
        models = config.embeddings.models
        self.configured: Mapping[str, Settings] = {
            name: msgspec.structs.replace(self._checked(name, raw), found=self._found(name))
            for name, raw in models.items()
        }
        self._check_names()

    def settings(self, name: str, registered: Mapping[str, Settings] | None = None) -> Settings:
        """What a model would be opened with; those in `registered` come first. Raises ModelNotFound, ConfigError,
        and UsageError for dimensions that no vector has."""
        reference = parse_reference(name)
        named = {**self.configured, **(registered or {})}
        known = named.get(reference.base) or self._of_id(reference.base, named)
        if not reference.options:
            return known
        if isinstance(cut := reference.options.get("dimensions"), int):
            check_dimensions(f"dims in {name!r}", cut)
        return msgspec.structs.replace(known, **reference.options)

    def card(self, name: str, settings: Settings) -> ModelCard | None:
        """What is known of the model that `settings` open. Raises ConfigError where they name a card there is not."""
        if settings.card:
            found = self._cards_for(settings.card).get(settings.card)
            if found is None:
                raise ConfigError(
                    f"{name}: no card {settings.card!r}.", remedy=did_you_mean(settings.card, self.catalog.models)
                )
            return found
        canonical = load_provider(settings.provider).canonical(settings.model_id)
        return self._cards_for(canonical).named(settings.provider, canonical)

    @cached_property
    def catalog(self) -> Catalog:
        """The shipped cards and those of the user's own files."""
        from embassay.catalog.catalog import shipped

        files = self._config.card_files()
        return shipped().with_files(files) if files else shipped()

    def alike(self, name: str) -> str:
        """A question that offers models which a name may mean that leads nowhere; empty where none is alike."""
        base = parse_reference(name).base
        provider, _, model = base.partition("/")
        meant = nearest_name(provider, provider_names(), cutoff=MISSPELT) if model else None
        if meant and not provider.startswith(provider_names()):  # organisations are called mistralai, jinaai
            base = f"{meant}/{model}"
            if self.catalog.get(base):
                return one_of([base])
            return self.catalog.alike(base, self.configured) or one_of([base])
        return self.catalog.alike(base, self.configured)

    @contextmanager
    def hinting(self, name: str, card: ModelCard | None) -> Iterator[None]:
        """Have the errors of a name that leads nowhere, and that no card describes, say what was probably meant."""
        try:
            yield
        except (ModelNotFound, DownloadFailed) as error:
            meant = "" if card else self.alike(name)
            raise type(error)(error.message, remedy=remedy.say(meant) + error.remedy) from error

    def misspelt(self, name: str, settings: Settings) -> str:
        """The same, in a sentence, for a model of a service that no card describes.

        Empty for a server of the user's own, which may call its models as it likes.
        """
        provider = load_provider(settings.provider)
        is_own = bool(getattr(settings, "base_url", ""))
        if is_own or not (provider.remote and provider.needs_card) or self.card(name, settings) is not None:
            return ""
        near = nearest_names(settings.model_id, self.catalog.ids_of(settings.provider), cutoff=MISSPELT)
        meant = [f"{settings.provider}/{model}" for model in near]
        return f"no card describes {settings.model_id}. {one_of(meant)}" if meant else ""

    def suggested_card(self, name: str, settings: Settings) -> ModelCard | None:
        """The card that probably describes a hosted model; see `Registry.suggested_card`."""
        from embassay.models.suggestion import suggested_card

        provider = load_provider(settings.provider)
        if not (provider.remote and provider.needs_card) or self.card(name, settings) is not None:
            return None
        return None if settings.says_roles else suggested_card(settings, self.catalog.models.values())

    def advice(self, name: str, settings: Settings) -> str:
        """What to set for a model without a card that is called like one of the catalog; empty where nothing is."""
        card = self.suggested_card(name, settings)
        if card is None:
            return self.misspelt(name, settings)
        missing = "its prompts and limits are" if card.prompts else "its limits are"
        return (
            f"no card describes {settings.model_id}, so that {missing} not known here. "
            f"If it is {card.id}, add 'card: {card.id}' to its settings."
        )

    def _cards_for(self, name: str) -> Catalog:
        """A catalog that has whatever is known of `name`: reading all of the shipped cards takes a while."""
        from embassay.catalog.catalog import shipped_for

        return self.catalog if self._config.cards else shipped_for(name)

    def _of_id(self, base: str, named: Collection[str]) -> Settings:
        try:
            provider, model = provider_of(base, self._cards_for(base))
        except ModelNotFound as error:
            listed = did_you_mean(base, named) if named else error.remedy
            raise ModelNotFound(error.message, remedy=self.alike(base) or listed) from None
        settings = self._checked(base, {"provider": provider} | ({"model_id": model} if model else {}))
        self._refuse_misspelt(base, settings)
        return msgspec.structs.replace(settings, found=self._found_cards())

    def _refuse_misspelt(self, base: str, settings: Settings) -> None:
        """Raises ModelNotFound for a name without a card that is one of the catalog's, misspelt.

        Nobody is asked for a key by it, and nothing is sent. A model that the configuration names is left alone.
        """
        from embassay.models.suggestion import misspelt_ids

        if self.card(base, settings) is not None or Path(settings.model_id).is_absolute():
            return
        meant = misspelt_ids(base, self._ids(), provider_names())
        if meant:
            mend = remedy.setting("models", say="If it is a new one, add it to {} in embassay.yaml.")
            raise ModelNotFound(f"no model is called {base!r}.", remedy=remedy.say(one_of(meant)) + mend)

    def _ids(self) -> Collection[str]:
        from embassay.catalog.catalog import shipped_ids

        return self.catalog.models if self._config.cards else shipped_ids()

    def _checked(self, name: str, raw: Mapping[str, object]) -> Settings:
        """Raises ConfigError or PluginError that names the model and the key."""
        provider = load_provider(str(raw.get("provider", DEFAULT_PROVIDER)))
        return checked(raw, provider.settings, f"{self._config.file or 'settings'}, model {name!r}")

    def _found(self, name: str) -> Unagreed | None:
        """What of a configured model nobody has agreed to."""
        return self._config.found and self._config.found.below("embeddings", "models", str(name))

    def _found_cards(self) -> Unagreed | None:
        """A card chooses the provider and the model: where nobody has agreed to the cards, to these neither."""
        found = self._config.found
        chosen = frozenset({("provider",), ("model_id",)})
        return Unagreed(found.file, found.changed, chosen) if found and found.says("cards") else None

    def _check_names(self) -> None:
        """Raises ConfigError for names that lead nowhere, or that could not be told from a model at a precision."""
        embeddings = self._config.embeddings
        for name in self.configured:
            if parse_reference(name).options:
                raise ConfigError(f"a model cannot be called {name!r}: that is a model at a precision or dimensions.")
        self._check_leads("default_model", embeddings.default_model)
        for name in embeddings.fallback_chain:
            self._check_leads("fallback_chain", name)

    def _check_leads(self, key: str, name: str) -> None:
        base = parse_reference(name).base
        if not name or base in self.configured or "/" in base or names_provider(base):
            return
        if self._cards_for(base).get(base):
            return
        hint = did_you_mean(base, self.configured) if self.configured else "Write provider/model, or add it to models."
        raise ConfigError(f"{key} names {name!r}, which is no model.", remedy=hint)


def difference(first: tuple[Settings, ModelCard | None], other: tuple[Settings, ModelCard | None]) -> str:
    """Why two models cannot be the same one, in words, from their settings and cards; empty where nothing says so."""
    cards = [card.id for _, card in (first, other) if card]
    if len(set(cards)) > 1:
        return f"it is {cards[1]}, and the first model is {cards[0]}"
    revisions = {getattr(settings, "revision", "") for settings, _ in (first, other)}
    return "its revision is another one" if len(revisions) > 1 and "" not in revisions else ""
