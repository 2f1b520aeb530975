"""What every store that searches coarse vectors has to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.errors import StoreError
from embassay.space import Space
from embassay.stores.coarse import CoarseForm
from embassay.stores.filters.values import In
from embassay.stores.values import VECTOR

if TYPE_CHECKING:
    from embassay.stores.base import Snapshot
    from embassay.testing.samples import Rows


def check_coarse_rows(version: Snapshot, sample: Rows) -> None:
    """Coarse vectors rank rows by their own products, and by no others where a filter leaves some out; a store that
    cannot do that says so. Raises AssertionError.
    """
    import numpy as np

    whole, query = version.count(), sample.vectors[VECTOR][0]
    form = CoarseForm(Space("sample", "", 2, transform="head"), lambda vectors: np.ascontiguousarray(vectors[:, :2]))
    try:
        found = version.coarse(query, whole, form)
    except StoreError as error:
        assert error.remedy, "who is refused is told what to do instead"
        return
    keys = [chunk.key for chunk in version.fetch([one.ref for one in found])]
    stored = version.vectors(keys)
    assert len({*keys}) == len(keys) == whole
    expected = [float(stored[key][:2] @ query[:2]) for key in keys]
    assert np.allclose([one.score for one in found], expected, rtol=1e-5, atol=1e-5), "coarse scores"
    assert np.all(np.diff([one.score for one in found]) <= 0), "the best come first"
    assert version.coarse(query, 2, form) == found[:2]
    where = In("path", (version.fetch([found[-1].ref])[0].path,))
    passing = {chunk.key for chunks, _ in version.scan((), where) for chunk in chunks}
    filtered = version.fetch([one.ref for one in version.coarse(query, whole, form, where)])
    assert [chunk.key for chunk in filtered] == [key for key in keys if key in passing]
    assert version.coarse(np.full_like(query, np.nan), 3, form) == []
