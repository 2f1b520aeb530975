"""The contract of a head: what stands behind the encoder of a model, and makes of its states what the model gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from embassay.engine.heads.arrays import Arrays


class Output(Protocol):
    """One head, written in operations that a graph and numpy share."""

    @property
    def model(self) -> str:
        """Whose it is, for messages."""

    @property
    def first_only(self) -> bool:
        """Whether it reads nothing but the state of the first token, so that the last layer need not compute others."""

    def output(self, arrays: Arrays[Any], hidden: Any, keep: Any) -> Any:
        """What the model gives, of the states `hidden` (batch, tokens, width) of its tokens.

        `keep` (batch, tokens) is 1 for tokens and 0 for padding.
        """

    def pooled_already(self, arrays: Arrays[Any], x: Any) -> Any:
        """The same of vectors `x` (batch, width), for files that pool by themselves. Raises ModelUnsupported."""
