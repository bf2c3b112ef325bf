"""The table of losses: each with its name for the command line and its formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from chainrule.base.errors import OptionError

Function = TypeVar("Function", bound=Callable[..., Any])

Target = Literal["labels", "probabilities", "signs", "values"]
"""What a loss compares with: classes, as labels or rows of probabilities; a probability an output; −1/+1; values."""

LOSSES: dict[str, Callable[..., Any]] = {}
"""Every loss, by the name that the command line uses; the law suite runs over this table."""


def loss(name: str, value: str, gradient: str, target: Target = "values") -> Callable[[Function], Function]:
    """Put a loss into the table, and on it, as `latex`, its value and its derivative for one example.

    `target` says what kind of targets it takes; training reads targets by it.
    In the formulas y is the prediction (z where it is a logit), t the target, ℓ the loss.
    """

    def register(function: Function) -> Function:
        function.latex, function.target = (value, gradient), target  # type: ignore[attr-defined]
        LOSSES[name] = function
        return function

    return register


def named(name: str) -> Callable[..., Any]:
    """The loss of that name; `_` may stand for `-`, and the function's own name does too.

    Raises:
        OptionError: there is none.

    >>> named("cross_entropy").__name__
    'cross_entropy'
    """
    by_function = {function.__name__: function for function in LOSSES.values()}
    found = LOSSES.get(name.replace("_", "-")) or by_function.get(name.replace("-", "_"))
    if found is None:
        raise OptionError(f"There is no loss {name!r}.", fix=", ".join(sorted(LOSSES)))
    return found
