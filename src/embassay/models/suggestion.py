"""Which card probably describes a model that has none: served weights go by many names.

A server is told its model's name by whoever started it: ``multilingual-e5-small``, ``E5_small_multilingual.Q8_0.gguf``,
``text-embedding-bge-m3``. Without its card the model is run without its prompts, and nothing fails.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from embassay.text import nearest_name, similarity

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.embedders.settings import Settings

NEARLY = 0.9
"""Least similarity of a misspelt name, from 0 to 1; its numbers and its size have to be the same in any case."""
NEAR_PROVIDER = 0.75
"""Least similarity of a prefix that stands for a provider and is spelled otherwise."""
NEAR_WORD, LETTERS = 0.75, 4
"""Least similarity of a word that was misspelt, and the fewest letters it has: shorter ones, as ``en`` and ``zh``, or
``cos`` and ``dot``, are words of their own."""
_FORM = re.compile(
    r"(?:[-_.:@](?:gguf|ggml|onnx|openvino|safetensors|mlx|awq|gptq|latest|main|quantized|int[48]|b?f(?:16|32)|fp(?:8|16|32)"
    r"|\d+bit|i?q\d+(?:_(?:[01klms]|xx?s|nl))*))+$"
)
"""How names end that say in which form the weights are kept."""
_IN_FRONT = ("text", "embedding")
"""Words that some servers put before the name of every embedding model."""
_SIZE = re.compile(r"\d|^(xxs|xs|s|m|l|xl|xxl|tiny|mini|small|base|medium|large)$")


def suggested_card(settings: Settings, cards: Iterable[ModelCard]) -> ModelCard | None:
    """The card of open weights whose name is that of a model, or nearly; None where none is, or several are."""
    wanted = _words(settings.model_id)
    if not wanted:
        return None
    by_words: dict[tuple[str, ...], ModelCard] = {}
    for card in cards:
        if card.open_weights:
            for name in (card.id, *card.aliases, *card.provider_ids.values()):
                by_words.setdefault(_words(name), card)
    for words in (wanted, _without_front(wanted)):
        if found := by_words.get(words):
            return found
    alike = {" ".join(words): card for words, card in by_words.items() if _size(words) == _size(wanted)}
    nearest = nearest_name(" ".join(wanted), alike, cutoff=NEARLY)
    return alike[nearest] if nearest else None


def misspelt_ids(name: str, ids: Collection[str], providers: tuple[str, ...]) -> list[str]:
    """Those of `ids` that ``provider/model`` or ``organisation/model`` stands for, with letters wrong or missing.

    A name whose words or numbers are others is a model of its own, which a provider may have added since.
    """
    first, _, rest = name.partition("/")
    if not rest or name in ids:
        return []
    meant = None
    if not first.startswith(providers):  # organisations are called mistralai, jinaai
        meant = nearest_name(first, providers, cutoff=NEAR_PROVIDER)
    found = []
    for known in ids:
        owner, _, model = known.partition("/")
        if (owner.lower() == first.lower() or owner == meant) and is_misspelling(rest, model):
            found.append(known)
    return found


def is_misspelling(name: str, known: str) -> bool:
    """Whether a name is another one with its letters or its punctuation wrong: all its numbers have to be the same.

    >>> is_misspelling("voyage-35", "voyage-3.5"), is_misspelling("voyage-4.5", "voyage-3.5")
    (True, False)
    """
    ours, theirs = (re.findall("[a-z0-9]+", one.lower()) for one in (name, known))
    if "".join(theirs) in ("".join(ours), "".join(ours) + "0"):  # v3 for v3.0
        return True
    return len(ours) == len(theirs) and all(map(_is_word, ours, theirs))


def _is_word(word: str, known: str) -> bool:
    if word == known:
        return True
    letters = word.isalpha() and known.isalpha() and min(len(word), len(known)) >= LETTERS
    return letters and similarity(word, known) >= NEAR_WORD


def _words(model_id: str) -> tuple[str, ...]:
    """The words of a name, in lower case, without its organisation, its folder, and the form of its weights."""
    name = _FORM.sub("", re.split(r"[/\\]", model_id.strip("/\\"))[-1].lower())
    return tuple(word for word in re.split(r"[^a-z0-9]+", name) if word)


def _without_front(words: tuple[str, ...]) -> tuple[str, ...]:
    front = len(_IN_FRONT)
    return words[front:] if words[:front] == _IN_FRONT else words


def _size(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in words if _SIZE.search(word))
