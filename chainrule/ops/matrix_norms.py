"""Norms of matrices: by entries, by sums of rows and columns, by singular values."""

from __future__ import annotations

from typing import Any

from chainrule.base.errors import OptionError
from chainrule.core.vocabulary import words
from chainrule.ops.decompositions import svdvals
from chainrule.ops.shapes import expand_dims
from chainrule.ops.systems import matrices


@words.define
def matrix_norm(a: Any, ord: float | str = "fro", keepdims: bool = False) -> Any:
    """The norm of matrices in the last two axes.

    "fro" √Σ aᵢⱼ², "nuc" Σ s, 2 and −2 largest and smallest singular value, 1 and ∞ largest sum |aᵢⱼ| of a
    column and of a row, −1 and −∞ the smallest. 000 (1.5).

    Raises:
        OptionError: there is no such norm.
    """
    y = _norm_of(matrices(a), ord)
    return expand_dims(expand_dims(y, -1), -1) if keepdims else y


def _norm_of(a: Any, ord: float | str) -> Any:
    if ord == "fro":
        return words.norm(a, 2, (-2, -1))
    if ord == "nuc":
        return words.sum(svdvals(a), -1)
    if ord in (2, -2):
        return words.index(svdvals(a), (..., 0 if ord == 2 else -1))
    if ord not in (1, -1, float("inf"), -float("inf")):
        raise OptionError(f"There is no matrix norm {ord!r}.", known="fro, nuc, 2, -2, 1, -1, inf, -inf")
    sums = words.sum(words.abs(a), -2 if ord in (1, -1) else -1)
    return words.max(sums, -1) if ord in (1, float("inf")) else words.min(sums, -1)
