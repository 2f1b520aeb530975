"""Cross-encoders on this machine's CPU, without torch: BERT, RoBERTa, XLM-RoBERTa, CamemBERT, DistilBERT and MPNet.

``model_id`` is a folder or a Hugging Face id. Nothing leaves the machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from embassay import remedy
from embassay.errors import ConfigError
from embassay.reranking.base import Reranked, Reranker
from embassay.reranking.settings import RerankSettings

if TYPE_CHECKING:
    from embassay.engine.classifiers import LocalClassifier
    from embassay.engine.tokens import Tokens
    from embassay.types import Vectors


class Settings(RerankSettings, frozen=True, kw_only=True):
    offline: bool = False
    """Never ask the hub."""
    label: str = ""
    """Of a model with several labels the one that means relevant: its name, or its number from 0."""
    scores: Literal["", "raw", "sigmoid"] = ""
    """``raw`` leaves them as the classifier gives them, ``sigmoid`` maps them to 0 to 1; default: as the model says."""


def open_reranker(settings: Settings) -> LocalReranker:
    """The model in `settings`. It is found or downloaded now and loaded when it is needed.

    Raises ModelNotFound, ModelUnsupported, DownloadFailed, DigestMismatch, or ConfigError for a label it has not.
    """
    from embassay.engine.classifiers import load_classifier

    activation = {"raw": "Identity", "sigmoid": "Sigmoid"}.get(settings.scores, "")
    model = load_classifier(
        settings.model_id,
        settings.precision,
        offline=settings.offline,
        max_tokens=settings.max_tokens,
        activation=activation,
    )
    made = LocalReranker(model, settings)
    if model.spec.labels:
        _column(model.spec.labels, settings.label, settings.model_id)
    return made


class LocalReranker(Reranker):
    """A cross-encoder of the engine."""

    def __init__(self, model: LocalClassifier, settings: Settings) -> None:
        self.model, self._settings = model, settings

    @property
    def name(self) -> str:
        return self._settings.model_id

    @cached_property
    def identity(self) -> str:
        return f"{self.model.identity} {self._relevance}"

    @property
    def tokens(self) -> Tokens:
        return self.model.tokens

    def score(self, query: str, texts: Sequence[str]) -> Reranked:
        relevance = self._relevance
        scored = self.model.scorer.score(query, texts)
        return Reranked(
            relevance.of(scored.values),
            np.array(scored.tokens, np.int64),
            np.array(scored.truncated, np.bool_),
            self.name,
        )

    def close(self) -> None:
        self.model.release()

    @cached_property
    def _relevance(self) -> Relevance:
        labels = self.model.labels
        column = _column(labels, self._settings.label, self.name)
        says_how = self._settings.scores or self.model.spec.activation
        return Relevance(column, share=len(labels) > 1 and not says_how)


@dataclass(frozen=True, slots=True)
class Relevance:
    """How one score is made of a row of them."""

    column: int
    share: bool
    """Whether it is the share of a label among all, by softmax: the logit of one label alone says nothing of others."""

    def of(self, values: Vectors) -> Vectors:
        """float32 (n,) of `values` (n, labels)."""
        if not self.share:
            return np.ascontiguousarray(values[:, self.column])
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        made: Vectors = (powers[:, self.column] / powers.sum(axis=1)).astype(np.float32)
        return made


def _column(labels: Sequence[str], label: str, model: str) -> int:
    """Where the label that means relevant stands. Raises ConfigError where that is not known."""
    listed = ", ".join(labels)
    if label in labels:
        return list(labels).index(label)
    if label.isascii() and label.isdigit() and int(label) < len(labels):
        return int(label)
    if label:
        raise ConfigError(
            f"{model} has no label {label!r}; it has {listed}.", remedy=remedy.setting("label", labels[-1])
        )
    if len(labels) > 1:
        raise ConfigError(
            f"{model} has {len(labels)} labels ({listed}), and does not say which of them means relevant.",
            remedy=remedy.setting(
                "label", labels[-1], say="Say it in the reranker's settings: {}, or another of them."
            ),
        )
    return 0
