"""Writes tests/golden/*.json with the reference library: pip install sentence-transformers, then run this."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.cross_encoders import LONG_QUERY, PASSAGES, QUERY, SHAPES, write_cross_encoder
from tests.layout_folders import TEXTS as LAYOUT_TEXTS
from tests.layout_folders import write_layout
from tests.layouts import LAYOUTS
from tests.tiny import CASES, TEXTS, write_model


def main() -> None:
    from sentence_transformers import SentenceTransformer

    for name, case in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            model = SentenceTransformer(str(write_model(Path(folder) / name, case)), device="cpu")
            lengths = [len(model.tokenizer(text)["input_ids"]) for text in TEXTS]
            golden = {
                role: model.encode(TEXTS, prompt=case.prompts.get(role, "")).round(6).tolist()
                for role in ("query", "document")
            }
        target = Path(__file__).parent / "golden" / f"{name}.json"
        target.write_text(json.dumps({"vectors": golden, "tokens_without_prompt": lengths}) + "\n")
        print(name, len(golden["query"][0]))
    write_layouts()
    write_cross_encoders()


def write_layouts() -> None:
    """golden/layouts.json: what the reference makes of each layout, or that it fails."""
    found = {}
    for name, row in LAYOUTS.items():
        with tempfile.TemporaryDirectory() as folder:
            found[name] = made(write_layout(Path(folder) / name, row))
        print(name, found[name] if isinstance(found[name], str) else "")
    text = ",\n".join(f"{json.dumps(name)}: {json.dumps(one)}" for name, one in found.items())
    (Path(__file__).parent / "golden/layouts.json").write_text("{" + text + "}\n")


def write_cross_encoders() -> None:
    """golden/cross_encoders.json: what the reference scores, and how many tokens it reads of each pair."""
    from sentence_transformers import CrossEncoder

    rows = []
    for name, shape in SHAPES.items():
        with tempfile.TemporaryDirectory() as folder:
            model = CrossEncoder(str(write_cross_encoder(Path(folder) / name, shape)), device="cpu")
            found = {}
            for query in (QUERY, LONG_QUERY):
                pairs = [[query, passage] for passage in PASSAGES]
                prompt = model.prompts.get(model.default_prompt_name or "", "")
                read = model.tokenizer([[prompt + query, passage] for passage in PASSAGES])["input_ids"]
                whole = [len(ids) for ids in read]
                found[query] = {"scores": _rounded(model.predict(pairs).tolist()), "tokens": whole}
        rows.append(f"{json.dumps(name)}: {json.dumps(found)}")
        print(name)
    (Path(__file__).parent / "golden/cross_encoders.json").write_text("{" + ",\n".join(rows) + "}\n")


def _rounded(value: object) -> object:
    return [_rounded(one) for one in value] if isinstance(value, list) else round(float(str(value)), 6)


def made(folder: Path) -> object:
    import torch
    from sentence_transformers import SentenceTransformer

    try:
        model = SentenceTransformer(str(folder), device="cpu", model_kwargs={"torch_dtype": torch.float32})
        roles = {"query": model.encode_query(LAYOUT_TEXTS), "document": model.encode_document(LAYOUT_TEXTS)}
    except Exception as error:  # whatever the reference says of it
        return type(error).__name__
    if (roles["query"] == roles["document"]).all():
        del roles["document"]
    return {role: [[round(float(x), 6) for x in row] for row in vectors] for role, vectors in roles.items()}


if __name__ == "__main__":
    main()
