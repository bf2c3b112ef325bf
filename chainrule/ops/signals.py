"""Convolution of plain signals, without batch and channels: the mathematics behind the layers, and its matrices.

True convolution turns the signal around and commutes; cross-correlation, which layers compute, does not.
002 A.3-A.9. Signals may have several axes (an image has two).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends import dtype_of
from chainrule.base.errors import OptionError, ShapeError
from chainrule.core.vocabulary import words
from chainrule.ops.convolution import conv
from chainrule.ops.operands import operand
from chainrule.ops.padding import pad

MODES = ("valid", "same", "full", "circular")


@words.define
def correlate(w: Any, x: Any, mode: str = "valid") -> Any:
    """Cross-correlation (w ⋆ x)(k) = Σᵢ w(i) x(k + i) of a filter w, length m, with a signal x, length n.

    `mode`, 002 A.5: "valid" gives the n − m + 1 places where w lies within x; "same" n places, x(k + i − ⌊m/2⌋)
    with zeros around; "full" all n + m − 1 places that touch x; "circular" n places of x repeated for ever.

    Raises:
        OptionError: there is no such mode.
        ShapeError: the axes differ in number, or w is longer than x where it must not be.

    >>> correlate(np.array([1.0, 2.0, 3.0]), np.array([1.0, -2.0, 3.0, 5.0, 4.0]))
    array([ 6., 19., 25.])
    """
    w, x = operand(w), operand(x)
    _check(w, x, mode)
    if mode == "circular":
        x = pad(x, [(0, m - 1) for m in w.shape], "circular")
    widths = {"same": lambda m: (m // 2, m - 1 - m // 2), "full": lambda m: (m - 1, m - 1)}.get(mode, lambda m: (0, 0))
    y = conv(x[None, None], w[None, None], padding=tuple(widths(m) for m in w.shape))
    return words.reshape(y, y.shape[2:])


@words.define
def convolve(w: Any, x: Any, mode: str = "full") -> Any:
    """True convolution (w * x)(k) = Σᵢ w(i) x(k − i): commutative, and the distribution of a sum. 002 A.3.

    `mode`: "full" gives the n + m − 1 places where w and x meet, "valid" those where w lies within x, "same" n
    of them, "circular" n places of x repeated for ever.

    Raises:
        OptionError: there is no such mode.
        ShapeError: the axes differ in number, or w is longer than x where it must not be.

    >>> convolve(np.array([1.0, 2.0]), np.array([1.0, 1.0, 1.0]))
    array([1., 3., 3., 2.])
    """
    w, x = operand(w), operand(x)
    _check(w, x, mode)
    turned = w[(slice(None, None, -1),) * len(w.shape)]
    if mode != "circular":
        return correlate(turned, x, mode)
    repeated = pad(x, [(m - 1, 0) for m in w.shape], "circular")
    return correlate(turned, repeated, "valid")


def _check(w: Any, x: Any, mode: str) -> None:
    if mode not in MODES:
        raise OptionError(f"There is no mode {mode!r}.", known=", ".join(MODES))
    if len(w.shape) != len(x.shape) or not w.shape:
        raise ShapeError(f"A filter and a signal have the same number of axes, got {w.shape} and {x.shape}.")
    if mode in ("valid", "circular") and any(m > n for m, n in zip(w.shape, x.shape, strict=True)):
        raise ShapeError(
            f"A filter of shape {w.shape} does not lie within a signal of {x.shape}.",
            fix=f"the filter first, then the signal; or mode={'full'!r}",
        )


@words.define
def toeplitz_matrix(w: Any, n: int, mode: str = "valid") -> Any:
    """The matrix T with T x = correlate(w, x, mode) for signals x of length n: constant along its diagonals.

    It has m numbers where a dense layer has n times as many; a transposed convolution multiplies by Tᵀ. 002 A.9.
    Differentiable in w.

    Raises:
        OptionError: there is no such mode.
        ShapeError: w has not one axis, or is longer than n where it must not be.

    >>> toeplitz_matrix(np.array([1.0, 0.0, -1.0]), 4)
    array([[ 1.,  0., -1.,  0.],
           [ 0.,  1.,  0., -1.]])
    """
    w = operand(w)
    if len(w.shape) != 1:
        raise ShapeError(f"The matrix of a convolution is made of a filter with one axis, got {tuple(w.shape)}.")
    _check(w, np.broadcast_to(np.zeros(()), (n,)), mode)
    m = w.shape[0]
    rows, before = {"valid": (n - m + 1, 0), "same": (n, m // 2), "full": (n + m - 1, m - 1)}.get(mode, (n, 0))
    place = np.arange(n) - np.arange(rows)[:, None] + before  # the entry of w that row and column share
    place = place % n if mode == "circular" else place
    with_zero = words.concatenate([w, np.zeros(1, dtype_of(w))])
    return with_zero[np.where((place >= 0) & (place < m), place, m)]


@words.define
def circulant_matrix(w: Any, n: int) -> Any:
    """The matrix C with C x = correlate(w, x, "circular"): every row is the one above, turned by one. 002 A.9.

    Raises:
        ShapeError: w has not one axis, or is longer than n.

    >>> circulant_matrix(np.array([1.0, 2.0]), 3)
    array([[1., 2., 0.],
           [0., 1., 2.],
           [2., 0., 1.]])
    """
    return toeplitz_matrix(w, n, "circular")
