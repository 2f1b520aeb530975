"""Tokenizer classes of transformers 5 that build their tokenizer anew, whatever tokenizer.json says of it.

Each takes the vocabulary from the files, and everything else from its own code and tokenizer_config.json: one row here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import AddedToken, Tokenizer
    from tokenizers.processors import PostProcessor

    from embassay.engine.fields import Fields, Json

Named = Mapping[str, "str | AddedToken"]
"""``cls_token`` and its like to the token."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a tokenizer's model is made of."""

    kind: str
    """``WordPiece``, ``BPE`` or ``Unigram``."""
    pieces: Json
    """Piece to id; for Unigram a list of (piece, score)."""
    merges: Sequence[tuple[str, str]] = ()
    characters: bytes | None = None
    """The map of characters that SentencePiece applies first, where there is one."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one class makes its tokenizer."""

    kind: str
    """Of the vocabulary that it takes."""
    build: Callable[[Vocabulary, Fields, Named], Tokenizer]
    frame: Callable[[Tokenizer, Named, Fields], PostProcessor]
    """The post-processor, which puts special tokens around a text."""
    special: Mapping[str, str]
    """Special tokens where nothing else is said, in the order in which they are added."""
    as_tokens: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    """Options of those that the class does not add as plain strings."""
    extra: Sequence[str] = ()
    """Further special tokens where nothing else is said."""
    vocabulary_files: Sequence[str] = ()
    """From which the vocabulary is read where there is no tokenizer.json; none: it cannot be."""
    token_types: bool = False
    """Whether its models are given token types."""


def _wordpiece(vocabulary: Vocabulary, said: Fields, named: Named) -> Tokenizer:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

    strip = said.flag("strip_accents") if "strip_accents" in said else None
    made = Tokenizer(models.WordPiece(vocabulary.pieces, unk_token=_text(named["unk_token"])))
    made.normalizer = normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=said.flag("tokenize_chinese_chars", default=True),
        strip_accents=strip,
        lowercase=said.flag("do_lower_case", default=True),
    )
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    return made


def _byte_level(vocabulary: Vocabulary, said: Fields, named: Named) -> Tokenizer:  # noqa: ARG001 - as its siblings
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    model = models.BPE(
        vocab=vocabulary.pieces,
        merges=list(vocabulary.merges),
        continuing_subword_prefix="",
        end_of_word_suffix="",
        fuse_unk=False,
    )
    made = Tokenizer(model)
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=said.flag("add_prefix_space"))
    made.decoder = decoders.ByteLevel()
    return made


def _unigram(vocabulary: Vocabulary, said: Fields, unknown: int) -> Tokenizer:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

    made = Tokenizer(models.Unigram(vocabulary.pieces, unk_id=unknown, byte_fallback=False))
    if vocabulary.characters is not None:
        made.normalizer = normalizers.Precompiled(vocabulary.characters)
    scheme = "always" if said.flag("add_prefix_space", default=True) else "never"
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement="▁", prepend_scheme=scheme)]
    )
    made.decoder = decoders.Metaspace(replacement="▁", prepend_scheme=scheme)
    return made


def _xlm_roberta(vocabulary: Vocabulary, said: Fields, named: Named) -> Tokenizer:  # noqa: ARG001 - as its siblings
    return _unigram(vocabulary, said, 3)


def _camembert(vocabulary: Vocabulary, said: Fields, named: Named) -> Tokenizer:
    unknown = _text(named["unk_token"])
    return _unigram(vocabulary, said, next((i for i, (p, _) in enumerate(vocabulary.pieces) if p == unknown), 0))


def _template(first: str, last: str, pair: str) -> Callable[[Tokenizer, Named, Fields], PostProcessor]:
    """Special tokens around a text, and around two of them as `pair` says, where they are {0} and {1}."""

    def frame(made: Tokenizer, named: Named, said: Fields) -> PostProcessor:  # noqa: ARG001 - as its siblings
        from tokenizers.processors import TemplateProcessing

        ids = [_with_id(made, named[name]) for name in (first, last)]
        names = [name for name, _ in ids]
        return TemplateProcessing(
            single=[f"{names[0]}:0", "$A:0", f"{names[1]}:0"],
            pair=[one.format(*names) for one in pair.split()],
            special_tokens=ids,
        )

    return frame


def _roberta_frame(made: Tokenizer, named: Named, said: Fields) -> PostProcessor:  # noqa: ARG001 - as its siblings
    from tokenizers.processors import RobertaProcessing

    return RobertaProcessing(_with_id(made, named["sep_token"]), _with_id(made, named["cls_token"]))


def _with_id(made: Tokenizer, token: str | AddedToken) -> tuple[str, int]:
    known = made.token_to_id(_text(token))
    if known is None:
        raise ValueError(f"it has no token {_text(token)!r}")
    return _text(token), known


def _text(token: str | AddedToken) -> str:
    return token if isinstance(token, str) else token.content


_BERT = Recipe(
    kind="WordPiece",
    build=_wordpiece,
    frame=_template("cls_token", "sep_token", "{0}:0 $A:0 {1}:0 $B:1 {1}:1"),
    special={
        "unk_token": "[UNK]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "mask_token": "[MASK]",
    },
    vocabulary_files=("vocab.txt",),
    token_types=True,
)
_FAIRSEQ = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "cls_token": "<s>",
    "mask_token": "<mask>",
}
_PLAIN = {"lstrip": False, "rstrip": False}
_DOUBLE = "{0}:0 $A:0 {1}:0 {1}:0 $B:0 {1}:0"
"""Two texts as RoBERTa and its like have them: none of their tokens has another type."""

RECIPES: Mapping[str, Recipe] = {
    "BertTokenizer": _BERT,
    "DistilBertTokenizer": Recipe(
        _BERT.kind, _BERT.build, _BERT.frame, _BERT.special, vocabulary_files=_BERT.vocabulary_files
    ),
    "MPNetTokenizer": Recipe(
        kind="WordPiece",
        build=_wordpiece,
        frame=_roberta_frame,
        special=_FAIRSEQ | {"unk_token": "[UNK]"},
        as_tokens={name: _PLAIN | ({"lstrip": True} if name == "mask_token" else {}) for name in _FAIRSEQ},
        vocabulary_files=("vocab.txt",),
    ),
    "RobertaTokenizer": Recipe(
        kind="BPE",
        build=_byte_level,
        frame=_roberta_frame,
        special=_FAIRSEQ,
        vocabulary_files=("vocab.json", "merges.txt"),
    ),
    "XLMRobertaTokenizer": Recipe(
        kind="Unigram", build=_xlm_roberta, frame=_template("bos_token", "eos_token", _DOUBLE), special=_FAIRSEQ
    ),
    "CamembertTokenizer": Recipe(
        kind="Unigram",
        build=_camembert,
        frame=_template("bos_token", "eos_token", _DOUBLE),
        special=_FAIRSEQ,
        as_tokens={"mask_token": {"lstrip": True, "special": True}},
        extra=("<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"),
    ),
}
"""By the name of the class, without ``Fast``."""

AS_STORED = frozenset({"PreTrainedTokenizer", "PreTrainedTokenizerFast", "PythonBackend", "TokenizersBackend"})
"""Classes that take tokenizer.json as it is; their names are compared with ``Fast``, and without it."""

USUAL: Mapping[str, str] = {
    "bert": "BertTokenizer",
    "distilbert": "BertTokenizer",
    "mpnet": "MPNetTokenizer",
    "roberta": "RobertaTokenizer",
    "xlm-roberta": "XLMRobertaTokenizer",
    "camembert": "CamembertTokenizer",
    "electra": "BertTokenizer",
    "nomic_bert": "BertTokenizer",
    "gte": "XLMRobertaTokenizer",
}
"""Architecture to the class where no file names one."""
