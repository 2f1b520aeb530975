"""Prompts of a model repository, by role."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from embassay import remedy
from embassay.engine.fields import Fields
from embassay.engine.unsupported import damaged
from embassay.errors import ModelUnsupported
from embassay.types import ROLES

ROLE_PROMPTS = {"query": ("query",), "document": ("document", "passage", "corpus")}
"""Names under which repositories keep the prompt of a role, most usual first."""

Choice = Callable[[Mapping[str, str]], Mapping[str, str]]
"""From the prompts of a repository, role to prompt, to those that are used."""


@dataclass(frozen=True, slots=True)
class RolePrompts:
    """What a repository says of its prompts."""

    by_role: Mapping[str, str]
    """A role without one is absent; one whose prompt is stated as nothing has the empty string."""
    default: str
    """Put before every text by some of its users, and by others not."""

    def chosen(self, choose: Choice | None, model: str) -> Mapping[str, str]:
        """The prompts to use, role to prompt; a role without one is absent.

        Raises ModelUnsupported where the repository names a default prompt and nobody says if a role has it:
        sentence-transformers puts it before texts in `encode`, and not in `encode_query` and `encode_document`.
        """
        pick: Choice = choose or (lambda stated: stated)
        if self.default:
            assumed: dict[str, str] = {role: self.by_role.get(role, _ASSUMED) for role in ROLES}
            for role, prompt in pick(assumed).items():
                if prompt == _ASSUMED:
                    raise _undecided(role, self.default, model)
        return {role: prompt for role, prompt in pick(self.by_role).items() if prompt}


_ASSUMED = "\0default prompt"


def read_prompts(said: Fields) -> RolePrompts:
    """The prompts in config_sentence_transformers.json. Raises ModelUnsupported for a default that it does not hold."""
    stored = said.texts("prompts")
    name = said.text("default_prompt_name")
    if name and name not in stored and name not in ROLES:
        raise damaged(f"{said.path}: 'default_prompt_name' is {name!r}, which is none of its prompts.")
    return role_prompts(stored, stored.get(name, "") if name else "")


def role_prompts(stored: Mapping[str, str], default: str) -> RolePrompts:
    """Prompts by role, of those that a repository keeps by name."""
    by_role = {}
    for role, names in ROLE_PROMPTS.items():
        known = [stored[name] for name in names if name in stored]
        if known:
            by_role[role] = next((prompt for prompt in known if prompt), "")
    return RolePrompts(by_role, default)


def _undecided(role: str, prompt: str, model: str) -> ModelUnsupported:
    return ModelUnsupported(
        f"{model} has the default prompt {prompt!r}, and does not say whether a {role} has it.",
        remedy=remedy.setting(f"{role}_prompt", '""', say="Say it in the model's settings: {}, or that prompt."),
    )
