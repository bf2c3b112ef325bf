"""Losses for quantities: the squared error in three scalings, the absolute error, Huber's between them."""

from __future__ import annotations

from typing import Any

from chainrule.base.errors import OptionError
from chainrule.losses.pairs import paired
from chainrule.losses.reduction import Reduction, over_entries, over_examples
from chainrule.losses.registry import loss
from chainrule.ops import abs, square, where


@loss("sse", r"\ell = \lVert y - t \rVert^2", r"\partial\ell/\partial y = 2(y - t)")
def sse(prediction: Any, target: Any, *, reduction: Reduction = "sum") -> Any:
    """Sum of squared errors, over outputs and examples.

        SSE = Σᵢ ‖yᵢ − tᵢ‖²        ∂/∂y = 2 (y − t)

    The one loss that is a sum by default, as 004 (40) defines it; `reduction="mean"`, the mean over the
    examples of the squared norm, is what 000 (4.1)-(4.2) calls MSE. Shapes: both (n, …); "none" gives (n,).

    Raises:
        ShapeError: the shapes differ.

    >>> import numpy as np
    >>> sse(np.array([3.0, 4.0, 8.0, 2.0]), [2, 5, 6, 3])
    np.float64(7.0)
    """
    y, t = paired("sse", prediction, target)
    return over_examples(square(y - t), reduction)


@loss("mse", r"\ell = \tfrac1k \lVert y - t \rVert^2", r"\partial\ell/\partial y = \tfrac2k (y - t)")
def mse(prediction: Any, target: Any, *, reduction: Reduction = "mean") -> Any:
    """Mean squared error, over all entries, in squared units of the target.

        MSE = 1/(nk) Σᵢⱼ (yᵢⱼ − tᵢⱼ)²        ∂/∂y = 2 (y − t) / (nk)

    As PyTorch and Keras define it, and 004 (17) for one output. 000 (4.2) sums over the k outputs: that is k
    times this, `sse(..., reduction="mean")`. Shapes: both (n, k) or (n,); "none" gives the same.

    Raises:
        ShapeError: the shapes differ, as (n, 1) and (n,) do.

    >>> import numpy as np
    >>> mse(np.array([3.0, 4.0, 8.0, 2.0]), [2, 5, 6, 3])
    np.float64(1.75)
    """
    y, t = paired("mse", prediction, target)
    return over_entries(square(y - t), reduction)


@loss("half-squared", r"\ell = \tfrac12 \lVert y - t \rVert^2", r"\partial\ell/\partial y = y - t")
def half_squared(prediction: Any, target: Any, *, reduction: Reduction = "mean") -> Any:
    """Half the squared norm of each example's error, in the mean over the examples.

        ℓᵢ = ½ ‖yᵢ − tᵢ‖²        ∂ℓᵢ/∂yᵢ = yᵢ − tᵢ

    The half leaves the plain error as derivative: 000 (4.3)-(4.4), 002 Exercise 3; 004 §2.4.4 calls it MSE.
    Shapes: both (n, …); "none" gives (n,).

    Raises:
        ShapeError: the shapes differ.

    >>> import numpy as np
    >>> half_squared(np.array([[1.0, 2.0]]), [[0.0, 0.0]])
    np.float64(2.5)
    """
    y, t = paired("half_squared", prediction, target)
    return over_examples(square(y - t) * 0.5, reduction)


@loss(
    "mae",
    r"\ell = \tfrac1k \sum_j |y_j - t_j|",
    r"\partial\ell/\partial y = \tfrac1k \operatorname{sign}(y - t)",
)
def mae(prediction: Any, target: Any, *, reduction: Reduction = "mean") -> Any:
    """Mean absolute error, over all entries, in units of the target.

        MAE = 1/(nk) Σᵢⱼ |yᵢⱼ − tᵢⱼ|        ∂/∂y = sign(y − t) / (nk), 0 where y = t

    The derivative has one size whatever the error, which makes it robust to outliers: the best constant is
    the median, not the mean. 004 (19)-(20). Shapes: both (n, k) or (n,); "none" gives the same.

    Raises:
        ShapeError: the shapes differ.

    >>> import numpy as np
    >>> mae(np.array([3.0, 4.0, 8.0, 2.0]), [2, 5, 6, 3])
    np.float64(1.25)
    """
    y, t = paired("mae", prediction, target)
    return over_entries(abs(y - t), reduction)


@loss(
    "huber",
    r"\ell = \tfrac12 e^2\,[|e| \le \delta] + \delta(|e| - \tfrac\delta2)\,[|e| > \delta],\; e = y - t",
    r"\partial\ell/\partial y = e\,[|e| \le \delta] + \delta \operatorname{sign}(e)\,[|e| > \delta]",
)
def huber(prediction: Any, target: Any, *, delta: float = 1.0, reduction: Reduction = "mean") -> Any:
    """Huber's loss: squared for errors up to δ, absolute beyond, with one tangent where they meet.

        ℓ(e) = ½ e²               for |e| ≤ δ        ∂ℓ/∂y = e
        ℓ(e) = δ (|e| − ½ δ)      else               ∂ℓ/∂y = δ sign(e)

    with e = y − t. Huber (1964); 000 (4.19)-(4.20). Mean over all entries. Shapes: both (n, k) or (n,).

    Raises:
        ShapeError: the shapes differ.
        OptionError: `delta` is not positive.

    >>> import numpy as np
    >>> huber(np.array([0.5, 3.0]), [0, 0], reduction="none")
    array([0.125, 2.5  ])
    """
    if not delta > 0:
        fix = "mae, if errors of any size shall pull alike"
        raise OptionError(f"huber needs delta > 0, got {delta}.", fix=fix)
    y, t = paired("huber", prediction, target)
    e = y - t
    size = abs(e)
    return over_entries(where(size <= delta, square(e) * 0.5, (size - 0.5 * delta) * delta), reduction)
