"""The states of the tokens as they are, one vector for each token of a text: what late interaction compares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from embassay.errors import ModelUnsupported

if TYPE_CHECKING:
    from embassay.engine.heads.arrays import Arrays


@dataclass(frozen=True, slots=True)
class TokenHead:
    """Nothing behind the encoder. What stands behind the pooling of a model is not applied: it is made for one vector a
    text."""

    model: str

    first_only = False

    def output(self, arrays: Arrays[Any], hidden: Any, keep: Any) -> Any:  # noqa: ARG002 - as its siblings
        """The states themselves, those of padding among them: (batch, tokens, width)."""
        return hidden

    def pooled_already(self, arrays: Arrays[Any], x: Any) -> Any:  # noqa: ARG002 - as its siblings
        """Raises ModelUnsupported: of one vector a text those of its tokens cannot be had."""
        raise ModelUnsupported(
            f"{self.model}: its graph gives one vector a text, and none of its tokens.",
            remedy="Search without maxsim, or choose a model that brings safetensors.",
        )
