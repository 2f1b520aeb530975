"""What every store has to do with rows that are named: by their keys, or by the refs that a search gave them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from embassay.errors import StoreError
from embassay.stores.values import VECTOR
from embassay.testing.coarse import check_coarse_rows
from embassay.testing.samples import ASKED

if TYPE_CHECKING:
    from embassay.stores.base import Snapshot
    from embassay.testing.samples import Rows


def check_named_rows(version: Snapshot, sample: Rows) -> None:
    """Rows that are named are scored as a search scores them, in any order, found by the same arm or by another.

    Each has one name. Raises AssertionError.
    """
    import numpy as np

    _check_refs(version, sample)
    whole, close = version.count(), partial(np.allclose, rtol=1e-5, atol=1e-5)
    for label, rows in sample.vectors.items():
        found = version.dense(rows[0], whole, label=label)[::-1]
        refs = [one.ref for one in found]
        scores = version.dense_scores(rows[0], refs, label=label)
        assert scores.dtype == np.float32 and scores.shape == (len(refs),)
        assert close(scores, [one.score for one in found]), f"dense scores of {label}"
        words = [{one.ref: one.score for one in version.lexical(query, whole)} for query in ASKED]
        expected = [[one.get(ref, 0) for ref in refs] for one in words]
        assert close([version.lexical_scores(query, refs) for query in ASKED], expected)
        assert close(version.dense_scores(rows[0], refs[:3] * 2, label=label), [*scores[:3]] * 2)
        assert not version.lexical_scores("zzzznothing", refs).any() and not version.lexical_scores("", refs).any()
    check_coarse_rows(version, sample)
    assert len(version.lexical_scores("rotate", [])) == len(version.dense_scores(sample.vectors[VECTOR][0], [])) == 0
    try:
        version.dense_scores(sample.vectors[VECTOR][0], [], label="unknown")
    except StoreError:
        return
    raise AssertionError("a label that is unknown is refused")


def _check_refs(version: Snapshot, sample: Rows) -> None:
    """Each key that exists has the ref that a search gives its row."""
    keys = [chunk.key for chunk in sample.chunks]
    named = version.refs([*keys, "not there"])
    assert named.keys() == version.vectors(keys).keys() and version.refs([]) == {}, "of keys that exist"
    assert [chunk.key for chunk in version.fetch([*named.values()])] == [*named], "a ref is that of the row of its key"
    for label, rows in sample.vectors.items():
        found = {one.ref for one in version.dense(rows[0], version.count(), label=label)}
        assert found == {*named.values()}, "rows have one name, however they are found"
