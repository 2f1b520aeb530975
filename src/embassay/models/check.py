"""Every configured model: what keeps it from working, and what is worth knowing about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.errors import EmbassayError

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.config.values import Config
    from embassay.embedders.http.credentials import SecretUse
    from embassay.embedders.settings import Settings
    from embassay.models.registry import Registry
    from embassay.types import Health


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """What was found out about one configured model."""

    name: str
    provider: str
    model_id: str
    problem: str = ""
    """What keeps it from working; empty where nothing is known to."""
    notes: tuple[str, ...] = ()
    secrets: tuple[SecretUse, ...] = ()
    """What its provider would be told besides texts, and where that is."""

    def to_dict(self) -> dict[str, object]:
        """The check as the JSON output has it."""
        return {
            "name": self.name,
            "provider": self.provider,
            "model_id": self.model_id,
            "problem": self.problem,
            "notes": list(self.notes),
            "secrets": [use.to_dict() for use in self.secrets],
        }


def check_models(registry: Registry, *, health: bool = False) -> list[ModelCheck]:
    """Check every configured model. Nothing is sent unless `health` asks each of them for a vector."""
    healths = registry.health() if health else {}
    return [_check(registry, name, healths.get(name)) for name in registry.names()]


def _check(registry: Registry, name: str, health: Health | None) -> ModelCheck:
    settings = registry.settings(name)

    def found(problem: str = "", notes: list[str] | None = None) -> ModelCheck:
        secrets = tuple(secrets_of(registry, name))
        return ModelCheck(name, settings.provider, settings.model_id, problem, tuple(notes or ()), secrets)

    try:
        card = registry.card(name)
        if card and card.retired:
            return found(f"{card.id} was retired on {card.retired}.")
        registry.bare(name).check_ready()
    except EmbassayError as error:
        return found(str(error))
    notes = _notes(settings, card, registry.advice(name), needs_card=registry.provider(name).needs_card)
    if health is None:
        return found(notes=notes)
    if health.ok:
        return found(notes=[*notes, f"Answered in {health.milliseconds:.0f} ms."])
    return found(health.message, notes)


def secrets_of(registry: Registry, name: str) -> Sequence[SecretUse]:
    """Every secret that a model's provider would be told; none where its settings lead nowhere. Nothing is read."""
    try:
        return registry.provider(name).secrets(registry.settings(name), registry.card(name))
    except EmbassayError:  # which is the model's problem
        return ()


def check_paths(config: Config) -> list[str]:
    """What of the paths in a configuration may not be used as long as nobody has agreed to it."""
    problems = []
    for paths in (config.card_files, config.cache_path):
        try:
            paths()
        except EmbassayError as error:
            problems.append(str(error))
    return problems


def _notes(settings: Settings, card: ModelCard | None, advice: str, *, needs_card: bool) -> list[str]:
    """What does not keep a model from working, and is worth knowing."""
    notes = []
    if card is None and needs_card:
        notes.append("No card: its limits, prompts and price are not known.")
    if advice:
        notes.append(f"{advice[:1].upper()}{advice[1:]}")
    key = getattr(settings, "api_key", "")
    if key and key != "none" and "${" not in key:
        notes.append("The key stands in the file: write ${NAME} and keep it in the environment.")
    if card and card.commercial is False:
        notes.append(f"Its licence ({card.licence}) forbids commercial use.")
    return notes
