"""The PCA by which a set is searched in two stages, where its model was not trained to be cut."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from embassay.errors import UsageError
from embassay.models.reference import uncut
from embassay.search.coarse import check_coarse, projected_form, trained_form
from embassay.sets.migration.destination import spread
from embassay.space import NO_TRANSFORM

if TYPE_CHECKING:
    from embassay.sets.opened import OpenSets
    from embassay.space import Space
    from embassay.stores.base import Store
    from embassay.stores.coarse import CoarseForm


def fit_coarse(sets: OpenSets, name: str, dimensions: int) -> CoarseForm:
    """Coarse vectors of so many dimensions for a set: by the cut that its model was trained for, else by a PCA that is
    fitted to its vectors now and kept with the generation.

    The vectors of the rows that are there are made at once, so that no search waits for them. Raises HomeNotFound,
    SetNotFound, StoreError, also of a store that searches none, and UsageError for dimensions that it cannot have.
    """
    from embassay.embedders.wrap.projected import fit

    live = sets.live(name)
    check_coarse(dimensions, live.space)
    trained = trained_form(live.space, sets.models.card(uncut(live.spec.model)), dimensions)
    if trained is not None:
        with closing(sets.folder.store(live)) as store:
            _make(store, trained, live.space)
        return trained
    if live.space.transform != NO_TRANSFORM:
        raise UsageError(
            f"coarse vectors are fitted to the vectors of a set as its model makes them; those of {name!r} are "
            f"{live.space}.",
            remedy="Search it with dense: its vectors are small already.",
        )
    with closing(sets.folder.store(live)) as store:
        projection = fit(spread(store), live.space, dimensions)
        form = projected_form(live.space, projection)
        _make(store, form, live.space)
    sets.writable_state().coarse.put(live.id, projection)
    return form


def _make(store: Store, form: CoarseForm, space: Space) -> None:
    """Have the store make the coarse vectors of its rows: a search for anything needs all of them."""
    import numpy as np

    with store.snapshot() as version:
        version.coarse(np.ones(space.dimensions, np.float32), 1, form)
