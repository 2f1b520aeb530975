"""Many layouts of model folders: the vectors of sentence-transformers, or a refusal that names the remedy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from embassay.embedders.providers.local import open_local
from embassay.errors import ModelUnsupported
from tests.layout_folders import TEXTS, write_layout
from tests.layouts import LAYOUTS

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/layouts.json").read_text())
LEAST = 0.99999


@pytest.mark.parametrize("name", LAYOUTS)
def test_as_the_reference_or_refused(name, tmp_path):
    row = LAYOUTS[name]
    folder = str(write_layout(tmp_path / name, row))
    if row.refused:
        with pytest.raises(ModelUnsupported, match=row.refused) as caught:
            open_local(folder, precision="f32").embed(TEXTS, "query")
        assert str(caught.value.remedy)
        return
    embedder, golden = open_local(folder, precision="f32"), GOLDEN[name]
    assert isinstance(golden, dict), f"the reference fails: {golden}"
    for role in ("query", "document"):
        expected = np.array(golden.get(role, golden["query"]))
        made = embedder.embed(TEXTS, role).vectors
        assert cosines(made, expected).min() >= LEAST, cosines(made, expected).round(4).tolist()
        np.testing.assert_allclose(made, expected, atol=5e-4)


def test_there_are_many():
    run = [name for name, row in LAYOUTS.items() if not row.refused]
    print(f"\n{len(LAYOUTS)} layouts: {len(run)} as the reference, {len(LAYOUTS) - len(run)} refused")
    assert len(run) >= 40


def cosines(a, b):
    return (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
