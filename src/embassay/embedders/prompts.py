"""Which prompt a role has: what the user says, else the card, else the model's own repository."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from embassay.embedders.base import ROLES

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.embedders.settings import Settings


def chosen(settings: Settings, card: ModelCard | None, repository: Mapping[str, str]) -> dict[str, str]:
    """Role to prompt, without the empty ones.

    The card comes before the repository because repositories of e5 and bge may state none, though the models need them.
    """
    known = card.prompts if card and card.prompts else repository
    found = {role: settings.prompt(role, known.get(role, "")) for role in ROLES}
    return {role: prompt for role, prompt in found.items() if prompt}
