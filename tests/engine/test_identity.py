"""The space of a folder covers all that is read of it, and nothing else: every field and every tensor is changed."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from embassay.embedders.providers.local import open_local
from embassay.errors import ModelUnsupported
from tests.layout_folders import TEXTS, Row, write_layout

ONE_LAYER = {"num_hidden_layers": 1}
BASES = {
    "bert": Row(
        config=ONE_LAYER,
        tokenizer_class="BertTokenizer",
        pooling=["mean", "cls"],
        modules=("LayerNorm", "Dense:Tanh:16", "Normalize"),
        weights="extra",
        said={"prompts": {"query": "key: ", "document": "text: "}, "similarity_fn_name": "cosine"},
        tokens={"strip_accents": True, "do_lower_case": True},
    ),
    "roberta": Row(
        "roberta",
        "byte-level",
        "RobertaTokenizer",
        config=ONE_LAYER,
        modules=("Dense:none:16:no-bias",),
        weights="prefix",
        write={"vocab.json": None},
    ),
    "xlm-roberta": Row(
        "xlm-roberta", "unigram", config=ONE_LAYER, folder="0_Transformer", modules=(), weights="sharded"
    ),
    "mpnet": Row("mpnet", config=ONE_LAYER, settings={"do_lower_case": True}, stored={"normalizer": {"type": "NFKC"}}),
}


class Probe:
    """A folder whose space and vectors are known, to compare changed copies of it with."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.changed = folder, folder.with_name("changed")
        self.space, self.vectors = self.look(folder), self.embed(folder)

    def look(self, folder: Path):
        space = open_local(str(folder), precision="f32").space
        return {name: value for name, value in space.to_dict().items() if name != "model"}

    def embed(self, folder: Path) -> np.ndarray:
        embedder = open_local(str(folder), precision="f32")
        return np.concatenate([embedder.embed(TEXTS, role).vectors for role in ("query", "document")])

    def copy(self) -> Path:
        shutil.rmtree(self.changed, ignore_errors=True)
        return Path(shutil.copytree(self.folder, self.changed))

    def verdict(self) -> str:
        """``refused``, ``other`` space or ``equal`` vectors; ``wrong``: equal spaces of other vectors."""
        try:
            if self.look(self.changed) != self.space:
                return "other"
            made = self.embed(self.changed)
        except ModelUnsupported:
            return "refused"
        same = made.shape == self.vectors.shape and np.abs(made - self.vectors).max() < 1e-5
        return "equal" if same else "wrong"


@pytest.fixture(scope="module", params=BASES)
def probe(request, tmp_path_factory) -> Probe:
    folder = tmp_path_factory.mktemp(request.param) / "model"
    return Probe(write_layout(folder, BASES[request.param]))


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every field and every element, down to the leaves."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in pairs:
        yield (*at, key)
        yield from places(one, (*at, key))


def others(value: Any) -> Iterator[Any]:
    """Other values of the same kind."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
        yield 0 if value else 2
    elif isinstance(value, float):
        yield value * 1.5 + 0.25
    elif isinstance(value, str):
        yield value + "x"
    elif value is None:
        yield True
        yield "x"


def put(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(document)
    at = changed
    for key in place[:-1]:
        at = at[key]
    if value is GONE:
        del at[place[-1]]
    else:
        at[place[-1]] = value
    return changed


GONE = object()
FEW = 6
"""Of the many pieces of a vocabulary so many are changed."""


def changes(document: Any) -> Iterator[tuple[str, Any]]:
    """(what is changed, the changed document) for every field of it."""
    seen: dict[tuple[Any, ...], int] = {}
    for place in places(document):
        inside = tuple(key for key in place[:-1] if isinstance(key, str))
        if inside[-1:] in {("vocab",), ("merges",), ("weight_map",)}:
            seen[inside] = seen.get(inside, 0) + 1
            if seen[inside] % 40 and seen[inside] > FEW:
                continue
        value = document
        for key in place:
            value = value[key]
        for other in (GONE, *others(value)):
            yield f"{place} = {'gone' if other is GONE else other!r}", put(document, place, other)


def json_files(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*.json"))


def test_every_field_of_every_json_file(probe):
    verdicts: dict[str, list[str]] = {"refused": [], "other": [], "equal": [], "wrong": []}
    for file in json_files(probe.folder):
        document = json.loads((probe.folder / file).read_text())
        changed = probe.copy() / file
        for what, new in changes(document):
            changed.write_text(json.dumps(new))
            verdicts[probe.verdict()].append(f"{file}: {what}")
    assert not verdicts["wrong"]
    assert len(verdicts["other"]) > 40 and len(verdicts["equal"]) > 15
    print({name: len(cases) for name, cases in verdicts.items()})


def unused(name: str) -> bool:
    """Heads for training, and layers beyond those that the configuration counts."""
    return name.startswith(("pooler", "cls.")) or ".layer.1." in name


def test_every_tensor_of_every_file(probe):
    for file in sorted(path.relative_to(probe.folder) for path in probe.folder.rglob("*.safetensors")):
        tensors = load_file(probe.folder / file)
        for name, tensor in tensors.items():
            other = tensor.copy()
            other.flat[tensor.size // 3] += 0.5
            save_file({**tensors, name: other}, probe.copy() / file)
            assert probe.verdict() == ("equal" if unused(name) else "other"), name


def test_a_transposed_tensor_is_another_or_refused(probe):
    for file in sorted(path.relative_to(probe.folder) for path in probe.folder.rglob("*.safetensors")):
        tensors = load_file(probe.folder / file)
        for name in (name for name, tensor in tensors.items() if tensor.ndim == 2 and not unused(name)):
            save_file({**tensors, name: np.ascontiguousarray(tensors[name].T)}, probe.copy() / file)
            assert probe.verdict() in {"other", "refused"}, name


def test_order_of_keys_white_space_and_unused_fields(probe):
    folder = probe.copy()
    for file in json_files(folder):
        document = json.loads((folder / file).read_text())
        (folder / file).write_text("\n" + json.dumps(with_unused(document), indent=3, sort_keys=True) + " \n")
    assert probe.look(folder) == probe.space
    for file in json_files(folder):
        document = json.loads((folder / file).read_text())
        (folder / file).write_text(json.dumps(backwards(document), separators=(",", ":")))
    assert probe.look(folder) == probe.space


KEPT_AS_THEY_ARE = {"vocab", "weight_map", "special_tokens", "prompts", "added_tokens_decoder", "single", "pair"}
"""Objects whose keys are data, or of which the reference allows no more."""


def with_unused(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        plain = {name: with_unused(one, name if key not in KEPT_AS_THEY_ARE else key) for name, one in value.items()}
        return plain if key in KEPT_AS_THEY_ARE else {**plain, "zz_unused": {"of": ["no", "use"]}}
    return [with_unused(one, key) for one in value] if isinstance(value, list) and key != "vocab" else value


def backwards(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: backwards(one) for name, one in reversed(value.items())}
    return [backwards(one) for one in value] if isinstance(value, list) else value


def weights_in(folder: Path) -> dict[str, np.ndarray]:
    files = [
        path
        for path in folder.rglob("model*.safetensors")
        if "_" not in path.parent.name[:2] or "Tr" in path.parent.name
    ]
    tensors: dict[str, np.ndarray] = {}
    for path in files:
        tensors |= load_file(path)
        path.unlink()
    for path in folder.rglob("model.safetensors.index.json"):
        path.unlink()
    return tensors


def test_how_weights_are_stored_does_not_matter(probe):
    """Saved again in another order with other metadata, with unused tensors, in one file or in three."""
    folder = probe.copy()
    inner = next(folder.rglob("tokenizer.json")).parent
    tensors = weights_in(folder)
    tensors["unused.head.weight"] = np.ones((3, 5), np.float32)
    save_file(dict(reversed(tensors.items())), inner / "model.safetensors", metadata={"by": "hand"})
    assert probe.look(folder) == probe.space
    (inner / "model.safetensors").unlink()
    where = {}
    for number in range(3):
        part = list(tensors)[number::3]
        save_file({name: tensors[name] for name in part}, inner / f"part-{number}.safetensors")
        where |= dict.fromkeys(part, f"part-{number}.safetensors")
    (inner / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}))
    assert probe.look(folder) == probe.space


def test_the_digests_of_a_folder_do_not_depend_on_its_path(probe):
    assert probe.look(probe.copy()) == probe.space


def test_the_former_space_is_that_of_earlier_versions(tmp_path):
    """SHA-256 of the file, and no more fields than there were."""
    import hashlib

    folder = write_layout(tmp_path / "m", BASES["bert"])
    former = open_local(str(folder)).model.former_space
    assert former.weights == hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert (former.encoder, former.tokenizer, former.layers, former.max_tokens) == ("", "", "", 0)
    assert (former.dimensions, former.normalised, former.query_prompt) == (16, True, "key: ")
