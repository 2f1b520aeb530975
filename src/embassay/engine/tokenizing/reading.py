"""Reads a repository's tokenizer as transformers 5 does: one class builds it anew, another takes it as it is stored."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from embassay.engine.fields import Fields, Json, read_fields
from embassay.engine.tokenizing.recipes import AS_STORED, RECIPES, USUAL, Recipe, Vocabulary
from embassay.engine.unsupported import damaged, needs_torch
from embassay.errors import ModelUnsupported

if TYPE_CHECKING:
    from tokenizers import AddedToken, Tokenizer

FILE, SETTINGS = "tokenizer.json", "tokenizer_config.json"
SPECIAL = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
PARTS = frozenset(
    "version truncation padding added_tokens normalizer pre_tokenizer post_processor decoder model".split()
)
MODEL_PARTS = frozenset(
    "type vocab merges unk_token unk_id continuing_subword_prefix end_of_word_suffix max_input_chars_per_word dropout "
    "fuse_unk byte_fallback ignore_merges".split()
)
"""Fields of tokenizer.json, and of the model in it."""
SIDES = ("right", "left")


@dataclass(frozen=True, slots=True)
class ReadTokenizer:
    """A tokenizer with all that its files say of how it is used."""

    backend: Tokenizer
    """Without truncation and padding."""
    truncation: str
    """The side on which long texts are cut: ``right`` or ``left``."""
    padding: str
    token_types: bool
    """Whether its models are given the types that it makes."""


def read_tokenizer(
    folder: Path, model: str, architecture: str, named_class: str = "", *, lower_case: bool = False
) -> ReadTokenizer:
    """The tokenizer of the transformer in `folder`; `named_class` is what its config.json says.

    Raises ModelUnsupported where there is none, or none that this engine can make as transformers does.
    """
    said = read_fields(folder / SETTINGS)
    stored = _stored(folder / FILE)
    recipe = _recipe(said.text("tokenizer_class") or named_class, architecture, model)
    _check_plain(said, folder, model)
    try:
        backend = _backend(folder, model, recipe, said, stored)
        if lower_case:
            _lower(backend)
        backend.encode_special_tokens = said.flag("split_special_tokens")
        backend.no_truncation()
        backend.no_padding()
        sides = (
            _side(said, "truncation_side", stored.get("truncation")),
            _side(said, "padding_side", stored.get("padding")),
        )
        return ReadTokenizer(backend, *sides, _token_types(said, recipe, model))
    except ModelUnsupported:
        raise
    except Exception as error:  # the Rust side raises bare Exception, and Python's follow from files of a wrong form
        raise damaged(f"{model}: its tokenizer in {folder} cannot be made: {error}.") from error


def _backend(folder: Path, model: str, recipe: Recipe | None, said: Fields, stored: Mapping[str, Json]) -> Tokenizer:
    named = _specials(recipe, said, _special_map(folder, said), stored)
    if recipe is None:
        backend = _as_stored(folder, model, stored)
    else:
        backend = recipe.build(_vocabulary(folder, model, recipe, stored), said, named)
    decoder = _added(folder, said, stored)
    _add(backend, recipe, decoder, named)
    if recipe is not None:
        backend.post_processor = recipe.frame(backend, _mapped(named, decoder), said)
    return backend


def _stored(file: Path) -> Mapping[str, Json]:
    """What tokenizer.json holds; nothing where there is none."""
    try:
        values = msgspec.json.decode(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(f"{file} cannot be read: {error}.") from error
    if not isinstance(values, dict) or not isinstance(values.get("model"), dict):
        raise damaged(f"{file} cannot be read: it holds no tokenizer.")
    return values


def _recipe(declared: str, architecture: str, model: str) -> Recipe | None:
    """How the class makes its tokenizer; None for one that takes it as it is stored."""
    name = (declared or USUAL.get(architecture, "TokenizersBackend")).removesuffix("Fast")
    if name in AS_STORED or name + "Fast" in AS_STORED:
        return None
    if name not in RECIPES:
        raise needs_torch(f"{model}: the local engine does not know the tokenizer class {declared!r}.")
    return RECIPES[name]


def _check_plain(said: Fields, folder: Path, model: str) -> None:
    for key in ("fast_tokenizer_files", "init_inputs", "processor_class"):
        if said.values.get(key):
            raise needs_torch(f"{model}: the local engine cannot follow {key!r} in {SETTINGS}.")
    for name in ("processor_config.json", "preprocessor_config.json"):
        if (folder / name).is_file():
            raise needs_torch(f"{model}: it has a processor of its own ({name}).")


def _as_stored(folder: Path, model: str, stored: Mapping[str, Json]) -> Tokenizer:
    from tokenizers import Tokenizer

    if not stored:
        raise needs_torch(f"{model}: {folder} has no {FILE}.")
    if stored["model"].get("dropout"):
        raise needs_torch(f"{model}: its tokenizer is random (dropout in {FILE}).")
    _check_template(stored.get("post_processor"))
    known = {key: value for key, value in stored.items() if key in PARTS}
    known["model"] = {key: value for key, value in stored["model"].items() if key in MODEL_PARTS}
    if known == stored:
        return Tokenizer.from_buffer((folder / FILE).read_bytes())
    return Tokenizer.from_buffer(msgspec.json.encode(known))  # the library fails at fields that it does not know


def _check_template(processor: Json) -> None:
    """Raises KeyError for a template that names a token which it does not describe: the library panics on those."""
    for one in [processor, *((processor or {}).get("processors") or ())]:
        if one and "single" in one:
            known = one["special_tokens"]
            for piece in (*one["single"], *(one.get("pair") or ())):
                if "SpecialToken" in piece and piece["SpecialToken"]["id"] not in known:
                    raise KeyError(f"its template names {piece['SpecialToken']['id']!r}, which it does not describe")


def _vocabulary(folder: Path, model: str, recipe: Recipe, stored: Mapping[str, Json]) -> Vocabulary:
    if not stored:
        return _vocabulary_of_files(folder, model, recipe)
    of = stored["model"]
    kind = of.get("type") or ("Unigram" if isinstance(of.get("vocab"), list) else recipe.kind)
    if kind != recipe.kind:
        raise needs_torch(f"{model}: its {FILE} holds a {kind} model, its tokenizer class makes {recipe.kind}.")
    if kind == "Unigram":
        pieces: Json = [(piece, float(score)) for piece, score in of["vocab"]]
        return Vocabulary(kind, pieces, characters=_characters(stored.get("normalizer")))
    pairs = (one.split(" ") if isinstance(one, str) else one for one in of.get("merges", ()))
    merges = [(first, second) for first, second in pairs]
    return Vocabulary(kind, of["vocab"], merges)


def _vocabulary_of_files(folder: Path, model: str, recipe: Recipe) -> Vocabulary:
    from tokenizers import models

    files = [folder / name for name in recipe.vocabulary_files]
    if not files or not all(file.is_file() for file in files):
        names = " and ".join(recipe.vocabulary_files)
        raise needs_torch(f"{model}: {folder} has no {FILE}" + (f", and no {names}." if names else "."))
    if recipe.kind == "WordPiece":
        return Vocabulary(recipe.kind, models.WordPiece.read_file(str(files[0])))
    pieces, merges = models.BPE.read_file(*map(str, files))
    return Vocabulary(recipe.kind, pieces, merges)


def _characters(normalizer: Json) -> bytes | None:
    """The map of a ``Precompiled`` normaliser, alone or in a sequence."""
    if not isinstance(normalizer, dict):
        return None
    parts = normalizer.get("normalizers") if normalizer.get("type") == "Sequence" else [normalizer]
    for part in parts or ():
        if part.get("type") == "Precompiled" and "precompiled_charsmap" in part:
            return base64.b64decode(part["precompiled_charsmap"])
    return None


def _added(folder: Path, said: Fields, stored: Mapping[str, Json]) -> dict[int, AddedToken]:
    """Tokens beside the vocabulary, by the ids that the files give them."""
    if "added_tokens_decoder" in said:
        decoder = said.values["added_tokens_decoder"]
        return {int(i): _token(one) for i, one in sorted(decoder.items(), key=lambda item: int(item[0]))}
    found: dict[int, AddedToken] = {}
    special = {_content(v) for k, v in said.values.items() if k in SPECIAL and v}
    special |= {_content(v) for v in _extra(said)}
    for text, index in read_fields(folder / "added_tokens.json").values.items():
        flags = {"normalized": text not in special, "special": text in special}
        found[int(index)] = _token({"content": text, **flags})
    for one in stored.get("added_tokens") or ():
        found[int(one["id"])] = _token({k: v for k, v in one.items() if k != "id"})
    return dict(sorted(found.items()))


def _special_map(folder: Path, said: Fields) -> dict[str, Json]:
    """special_tokens_map.json, which counts where tokenizer_config.json does not list its tokens."""
    stated: dict[str, Json] = {}
    if "added_tokens_decoder" in said:
        return stated
    for key, value in read_fields(folder / "special_tokens_map.json").values.items():
        if isinstance(value, dict):
            value = _token({k: v for k, v in value.items() if k not in {"special", "__type"}} | {"special": True})
        stated[key] = value
    return stated


def _specials(
    recipe: Recipe | None, said: Fields, special_map: Mapping[str, Json], stored: Mapping[str, Json]
) -> dict[str, Json]:
    """Named special tokens: the class's own, then what the files say; ``extra`` holds those without a name."""
    extra = special_map.get("extra_special_tokens") or special_map.get("additional_special_tokens") or _extra(said)
    stated = {**said.values, **(extra if isinstance(extra, dict) else {}), **special_map}
    named: dict[str, Json] = dict.fromkeys(SPECIAL)
    named |= recipe.special if recipe else {}
    for key, value in stated.items():
        if key.endswith("_token") and (isinstance(value, str | dict) or _is_token(value)):
            named[key] = _token(value) if isinstance(value, dict) else value
    if named["pad_token"] is None:
        named["pad_token"] = (stored.get("padding") or {}).get("pad_token")
    listed = extra if isinstance(extra, list) and extra else list(recipe.extra if recipe else ())
    named["extra"] = [_token(one) if isinstance(one, dict) else one for one in listed]
    return named


def _extra(said: Fields) -> Json:
    return said.values.get("extra_special_tokens") or said.values.get("additional_special_tokens") or []


def _mapped(named: Mapping[str, Json], decoder: Mapping[int, AddedToken]) -> dict[str, Json]:
    known = {token.content: token for token in decoder.values()}
    return {key: known.get(_content(value), value) for key, value in named.items() if key != "extra" and value}


def _add(
    backend: Tokenizer, recipe: Recipe | None, decoder: Mapping[int, AddedToken], named: Mapping[str, Json]
) -> None:
    """Add the tokens of the files, then special tokens that are missing, in the order of transformers."""
    tokens: list[str | AddedToken] = list(decoder.values())
    names = {_content(value) for key, value in named.items() if key != "extra" and value}
    there = {token.content for token in (*backend.get_added_tokens_decoder().values(), *decoder.values())}
    for token in _in_order(recipe, named, decoder):
        if _content(token) not in there:
            there.add(_content(token))
            tokens.append(token)
    backend.add_tokens([_as_special(token, names) for token in tokens])


def _in_order(
    recipe: Recipe | None, named: Mapping[str, Json], decoder: Mapping[int, AddedToken]
) -> Iterator[str | AddedToken]:
    options = recipe.as_tokens if recipe else {}
    for key, token in _mapped(named, decoder).items():
        yield _token({"content": token, **options[key]}) if isinstance(token, str) and key in options else token
    yield from named["extra"]


def _as_special(token: str | AddedToken, names: set[str]) -> AddedToken:
    from tokenizers import AddedToken

    if isinstance(token, str):
        return AddedToken(token, special=True)
    if not token.special and token.content in names:
        token.special = True
    return token


def _token(values: Json) -> AddedToken:
    from tokenizers import AddedToken

    return AddedToken(**{k: v for k, v in values.items() if k != "__type"})


def _is_token(value: Json) -> bool:
    return type(value).__name__ == "AddedToken"


def _content(token: Json) -> str:
    if isinstance(token, dict):
        return str(token.get("content"))
    return token if isinstance(token, str) else str(token.content)


def _lower(backend: Tokenizer) -> None:
    """Lower-casing as the modules ask for it, before whatever the tokenizer does; none where it does that."""
    from tokenizers.normalizers import Lowercase, Sequence

    now: Json = backend.normalizer
    parts: list[Json] = [] if now is None else [now]
    if isinstance(now, Sequence):
        parts = list(iter(now))
    if not any(isinstance(part, Lowercase) for part in parts):
        backend.normalizer = Sequence([Lowercase(), *parts])


def _side(said: Fields, key: str, stored: Json) -> str:
    default = str((stored or {}).get("direction") or "right").lower()
    side = said.text(key, default)
    if side not in SIDES:
        raise damaged(f"{said.path}: {key!r} is {side!r}, expected right or left.")
    return side


def _token_types(said: Fields, recipe: Recipe | None, model: str) -> bool:
    if "model_input_names" not in said:
        return bool(recipe and recipe.token_types)
    names = said.list("model_input_names")
    if "attention_mask" not in names or "input_ids" not in names:
        raise needs_torch(f"{model}: its tokenizer hands over no attention_mask, so that padding is read as text.")
    return "token_type_ids" in names
