"""What the local engine says of a model that it cannot run: who can."""

from __future__ import annotations

from embassay import remedy
from embassay.errors import ModelUnsupported

ELSEWHERE = remedy.install("embassay[torch]", say="Run it as sentence-transformers/ID: {}.")


DAMAGED = remedy.say("Download the model again.")


def needs_torch(message: str) -> ModelUnsupported:
    """`message` says what is wrong with the model for this engine, and whose it is."""
    return ModelUnsupported(message, remedy=ELSEWHERE)


def damaged(message: str) -> ModelUnsupported:
    """`message` says what is wrong with the files of a model, by which nobody could run it."""
    return ModelUnsupported(message, remedy=DAMAGED)
