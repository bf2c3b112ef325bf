"""From one loss an entry or an example to the number that is minimised."""

from __future__ import annotations

from typing import Any, Literal

from chainrule.base.errors import OptionError
from chainrule.ops import reshape, sum
from chainrule.ops.reductions import mean

Reduction = Literal["mean", "sum", "none"]


def over_entries(values: Any, reduction: Reduction) -> Any:
    """The mean or the sum of all values, or the values as they are.

    Raises:
        OptionError: `reduction` is something else.
    """
    check_reduction(reduction)
    if reduction == "none":
        return values
    return mean(values) if reduction == "mean" else sum(values)


def over_examples(values: Any, reduction: Reduction) -> Any:
    """Summed within each example (all axes but the first), then as `over_entries` over the examples.

    Shapes: values (n, …); the result is (n,) for "none", else a scalar.
    """
    check_reduction(reduction)
    if reduction == "none":
        n = values.shape[0] if values.shape else 1
        return values if len(values.shape) < 2 else sum(reshape(values, n, -1), axis=1)
    total = sum(values)
    return total if reduction == "sum" or not values.shape else total * (1 / values.shape[0])


def check_reduction(reduction: str) -> None:
    """The reduction is one of the three.

    Raises:
        OptionError: it is something else.
    """
    if reduction not in ("mean", "sum", "none"):
        raise OptionError(f"There is no reduction {reduction!r}.", fix="'mean', 'sum' or 'none'")
