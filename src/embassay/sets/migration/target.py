"""Where a set is to be moved, as it was asked for: another model, fewer dimensions, fewer bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.errors import UsageError
from embassay.models.reference import asked_precision, check_dimensions, cut_to, uncut
from embassay.sets.generations import remembered
from embassay.stores.dtypes import check_dtype

if TYPE_CHECKING:
    from embassay.sets.spec import SetSpec


@dataclass(frozen=True, slots=True)
class MigrationTarget:
    """Where a set is to be moved, as it was asked for."""

    model: str
    """Empty: the one that the set has."""
    precision: str = "auto"
    """Empty: the one that the set has."""
    truncate_dim: int | None = None
    """To so many dimensions its vectors are cut, where the model was trained for that (Matryoshka)."""
    pca: int = 0
    """To so many dimensions they are reduced, by a PCA that is fitted to the vectors of the set; 0: not at all."""
    dtype: str = ""
    """What their numbers are kept as, see `embassay.stores.dtypes`. Empty: what the set keeps them as."""

    @classmethod
    def of(
        cls,
        model: str | None,
        precision: str | None = None,
        *,
        truncate_dim: int | None = None,
        pca: int | None = None,
        dtype: str | None = None,
    ) -> MigrationTarget:
        """A precision that stands in the name of the model, ``minilm@int8``, is the one that is asked for.

        Raises UsageError for what contradicts itself, and where nothing is asked for.
        """
        if not (model or precision or dtype) and truncate_dim is None and pca is None:
            raise UsageError(
                "it is not said where the set is to be moved.", remedy=remedy.option("to", "MODEL", say="Name a model")
            )
        check_dimensions("truncate_dim", truncate_dim)
        check_dimensions("pca", pca)
        if truncate_dim is not None and pca is not None:
            raise UsageError("vectors are either cut to fewer dimensions, or reduced by PCA.", remedy="Leave one out.")
        if dtype is not None:
            check_dtype(dtype)
        if not model:
            return cls("", precision or "", truncate_dim, pca or 0, dtype or "")
        name, asked_for = asked_precision(model, precision)
        return cls(remembered(name), asked_for or "auto", truncate_dim, pca or 0, dtype or "")

    def model_for(self, spec: SetSpec) -> str:
        """The reference of the model that a set of `spec` is moved to. Raises UsageError."""
        return cut_to(self.model or (spec.model if self.truncate_dim is None else uncut(spec.model)), self.truncate_dim)

    def is_met_by(self, spec: SetSpec) -> bool:
        """Whether a generation of `spec` is one that was asked for in the same words."""
        return (
            self.model_for(spec) == spec.model
            and self.precision in ("", spec.precision)
            and self.dtype in ("", spec.dtype)
            and (self.pca == spec.pca or not (self.pca or self.model))
        )
