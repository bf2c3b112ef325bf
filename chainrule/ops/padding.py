"""Padding: entries put before and after along the last axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends import into, xp
from chainrule.base.errors import OptionError, ShapeError
from chainrule.core.families import general
from chainrule.core.vocabulary import words
from chainrule.ops.operands import operand
from chainrule.ops.windows import Pairs


@general
def pad_(x: Any, *, widths: Pairs, value: float = 0.0, out: Any = None) -> Any:
    """One number around x: `widths` are (before, after) for each of the last axes."""
    every = ((0, 0),) * (len(x.shape) - len(widths)) + tuple(widths)
    return into(out, xp(x).pad(x, every, constant_values=value))


def _inside(y_bar: Any, x: Any, widths: Pairs) -> Any:
    last = zip(widths, x.shape[len(x.shape) - len(widths) :], strict=True)
    return words.index(y_bar, (..., *(slice(before, before + n) for (before, _), n in last)))


pad_.jvp(lambda dots, y, x, *, widths, value=0.0: pad_(dots[0], widths=widths))
pad_.vjps(lambda y_bar, y, x, *, widths, value=0.0: _inside(y_bar, x, widths))
pad_.shape(
    lambda x, *, widths, value=0.0: (
        *x.shape[: x.ndim - len(widths)],
        *(n + a + b for n, (a, b) in zip(x.shape[x.ndim - len(widths) :], widths, strict=True)),
    )
)
pad_.batching(lambda size, args, flags, **settings: pad_(args[0], **settings))
pad_.cost(lambda y, x, **settings: 0)
pad_.formula(r"y_{i + b} = x_i", r"\bar x_i = \bar y_{i + b}")


@words.define
def pad(x: Any, widths: Any, mode: str = "constant", value: float = 0.0) -> Any:
    """x with entries before and after along its last axes: `widths` has a pair (before, after) for each of them.

    `mode`: "constant" (or "zeros"), "circular" (the other end), "reflect" (mirrored, the edge not repeated) or
    "replicate" (the edge repeated). NumPy's order of pairs; PyTorch's flat list runs from the last axis.

    Raises:
        OptionError: no such mode, or the widths are no pairs.
        ShapeError: there are fewer axes than pairs, or an axis is too short for the mode.

    >>> import numpy as np
    >>> pad(np.array([1.0, 2.0, 3.0]), [(2, 1)], "circular")
    array([2., 3., 1., 2., 3., 1.])
    """
    x, widths = operand(x), _pairs(widths)
    if len(widths) > len(x.shape):
        raise ShapeError(f"{len(widths)} pairs of widths for the {len(x.shape)} axes of {tuple(x.shape)}.")
    if mode in ("constant", "zeros"):
        return pad_(x, widths=widths, value=float(value)) if value else pad_(x, widths=widths)
    if mode not in ENDS:
        raise OptionError(f"There is no padding mode {mode!r}.", known=", ".join(["constant", *ENDS]))
    for axis, (before, after) in enumerate(widths, len(x.shape) - len(widths)):
        x = _lengthened(x, axis, before, after, mode) if before or after else x
    return x


def _pairs(widths: Any) -> Pairs:
    try:
        pairs = tuple((int(before), int(after)) for before, after in widths)
    except (TypeError, ValueError):
        pairs = ((-1, -1),)
    if any(width < 0 for pair in pairs for width in pair):
        raise OptionError(
            f"Padding takes a pair of widths of 0 or more for each axis, got {widths!r}.",
            fix="pad(x, [(1, 1), (2, 2)]), in the order of the axes",
        )
    return pairs


def _lengthened(x: Any, axis: int, before: int, after: int, mode: str) -> Any:
    """x with its ends along one axis, made of its own entries."""
    n, most = x.shape[axis], {"circular": x.shape[axis], "reflect": x.shape[axis] - 1}.get(mode, np.inf)
    if max(before, after) > most or n < 1:
        raise ShapeError(
            f"{mode.capitalize()} padding of {max(before, after)} needs an axis longer than {n}.",
            input=tuple(x.shape),
            axis=axis,
        )
    front = (slice(None),) * axis
    left, right = (ENDS[mode](n, k, start) if k else None for k, start in ((before, True), (after, False)))
    cuts = [words.index(x, (*front, cut)) for cut in left or ()]
    return words.concatenate([*cuts, x, *(words.index(x, (*front, cut)) for cut in right or ())], axis)


def _circular(n: int, k: int, start: bool) -> list[slice]:
    return [slice(n - k, n) if start else slice(0, k)]


def _reflect(n: int, k: int, start: bool) -> list[slice]:
    return [slice(k, 0, -1) if start else slice(n - 2, n - 2 - k if n - 2 - k >= 0 else None, -1)]


def _replicate(n: int, k: int, start: bool) -> list[slice]:
    return [slice(0, 1) if start else slice(n - 1, n)] * k


ENDS = {"circular": _circular, "reflect": _reflect, "replicate": _replicate}
