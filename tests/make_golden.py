"""Writes tests/golden/*.json with the reference library: pip install sentence-transformers, then run this."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
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


if __name__ == "__main__":
    main()
