"""Every configured model: what keeps it from working, and what is worth knowing about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.errors import EmbassayError

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
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

    def to_dict(self) -> dict[str, object]:
        """The check as the JSON output has it."""
        return {
            "name": self.name,
            "provider": self.provider,
            "model_id": self.model_id,
            "problem": self.problem,
            "notes": list(self.notes),
        }


def check_models(registry: Registry, *, health: bool = False) -> list[ModelCheck]:
    """Check every configured model. Nothing is sent unless `health` asks each of them for a vector."""
    healths = registry.health() if health else {}
    return [_check(registry, name, healths.get(name)) for name in registry.names()]


def _check(registry: Registry, name: str, health: Health | None) -> ModelCheck:
    settings = registry.settings(name)

    def found(problem: str = "", notes: list[str] | None = None) -> ModelCheck:
        return ModelCheck(name, settings.provider, settings.model_id, problem, tuple(notes or ()))

    try:
        card = registry.card(name)
        if card and card.retired:
            return found(f"{card.id} was retired on {card.retired}.")
        registry.bare(name).check_ready()
    except EmbassayError as error:
        return found(str(error))
    notes = _notes(settings, card, needs_card=registry.provider(name).needs_card)
    if health is None:
        return found(notes=notes)
    if health.ok:
        return found(notes=[*notes, f"Answered in {health.milliseconds:.0f} ms."])
    return found(health.message, notes)


def _notes(settings: Settings, card: ModelCard | None, *, needs_card: bool) -> list[str]:
    """What does not keep a model from working, and is worth knowing."""
    notes = []
    if card is None and needs_card:
        notes.append("No card: its limits, prompts and price are not known.")
    key = getattr(settings, "api_key", "")
    if key and "${" not in key:
        notes.append("The key stands in the file: write ${NAME} and keep it in the environment.")
    if card and card.commercial is False:
        notes.append(f"Its licence ({card.licence}) forbids commercial use.")
    return notes
