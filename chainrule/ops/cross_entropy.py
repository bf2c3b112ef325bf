"""What cross-entropies are made of: the entry at a label, and the loss fused with its sigmoid or softmax.

Fused, the derivative with respect to the logit is the difference p − t itself (000 (5.23)-(5.31)): no
division by a probability that has underflowed, and one node instead of four.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends import dtype_of, into, xp
from chainrule.base.errors import ShapeError
from chainrule.core.batch import leading
from chainrule.core.families import elementwise, general, linear
from chainrule.core.fused import fused
from chainrule.ops.activations import sigmoid
from chainrule.ops.arithmetic import maximum
from chainrule.ops.operands import broadcast_to
from chainrule.ops.reductions import sum
from chainrule.ops.shapes import reshape
from chainrule.ops.softmax import softmax_

LOG_FLOOR = -100.0
"""The logarithm of 0 in a loss: finite, so that 0 · ln 0 = 0; the choice of PyTorch."""
STEEPEST = 1e-12
"""1/x is taken as at most 1/STEEPEST, so that the derivative at 0 stays finite in float32 too."""


def _rows(labels: Any) -> tuple[Any, Any]:
    return np.arange(labels.size), labels.reshape(-1)


@linear
def pick(x: Any, labels: Any, *, out: Any = None) -> Any:
    """The entry of each row at its label: y_i = x[i, t_i]. Shapes: x (…, classes), labels and result (…)."""
    rows = x.reshape(labels.size, x.shape[-1])
    return into(out, rows[_rows(labels)].reshape(labels.shape))


@linear
def place(y: Any, labels: Any, *, n: int, out: Any = None) -> Any:
    """Rows of `n` zeros with y at the label: one-hot rows, scaled. The adjoint of `pick`."""
    result = np.zeros((labels.size, n), dtype_of(y))
    result[_rows(labels)] = y.reshape(-1)
    return into(out, result.reshape((*labels.shape, n)))


def _one_per_row(x: Any, labels: Any) -> tuple[int, ...]:
    if x.shape[:-1] != labels.shape:
        raise ShapeError(f"Labels {labels.shape} do not name one entry in each row of {x.shape}.")
    return labels.shape


pick.adjoint(lambda y_bar, x, labels: place(y_bar, labels, n=x.shape[-1]), arguments=1)
pick.shape(_one_per_row)
leading(pick)
pick.cost(lambda y, x, labels: 0)
pick.formula(r"y_i = x_{i, t_i}", r"\bar x_{ik} = [k = t_i]\,\bar y_i")
place.adjoint(lambda x_bar, y, labels, *, n: pick(x_bar, labels), arguments=1)
place.shape(lambda y, labels, *, n: (*labels.shape, n))
leading(place)
place.cost(lambda x, y, labels, *, n: 0)
place.formula(r"x_{ik} = [k = t_i]\,y_i", r"\bar y_i = \bar x_{i, t_i}")


@general
def softmax_cross_entropy(z: Any, labels: Any, *, out: Any = None) -> Any:
    """yᵢ = ln Σₖ e^(zᵢₖ) − z[i, tᵢ] from logits (…, classes) and integer labels (…): 000 (11.5).

    Shifted by the largest logit, so that nothing overflows.
    """
    np_ = xp(z)
    shifted = z - np_.max(z, axis=-1, keepdims=True)
    return np_.subtract(np_.log(np_.sum(np_.exp(shifted), axis=-1)), pick.kernel(shifted, labels), out=out)


softmax_cross_entropy.jvp(lambda dots, y, z, t: sum(softmax_(z, axis=-1) * dots[0], axis=-1) - pick(dots[0], t))
softmax_cross_entropy.vjps(lambda y_bar, y, z, t: softmax_cross_entropy_back(y_bar, z, t), None)
softmax_cross_entropy.shape(_one_per_row)
leading(softmax_cross_entropy)
softmax_cross_entropy.cost(lambda y, z, labels: 5 * z.size)
softmax_cross_entropy.workspace(lambda y, z, labels: 2 * z.nbytes + y.nbytes)
softmax_cross_entropy.formula(
    r"y = \ln \textstyle\sum_k e^{z_k} - z_t",
    r"\bar z_k = (p_k - [k = t])\,\bar y,\; p = \operatorname{softmax} z",
)


@fused
def softmax_cross_entropy_back(y_bar: Any, z: Any, labels: Any, *, out: Any = None) -> Any:
    """z̄ₖ = (pₖ − [k = t]) ȳ with p = softmax z: the derivative of the cross-entropy, in one kernel."""
    np_ = xp(z)
    p = softmax_.kernel(z, axis=-1, out=out)
    p[(*np.indices(labels.shape, sparse=True), labels)] -= 1
    return np_.multiply(p, y_bar[..., None], out=p)


def _composed_back(y_bar: Any, z: Any, labels: Any) -> Any:
    spread = broadcast_to(reshape(y_bar, (*y_bar.shape, 1)), shape=tuple(z.shape))
    return spread * softmax_(z, axis=-1) - place(y_bar, labels, n=z.shape[-1])


def _back_shape(y_bar: Any, z: Any, labels: Any) -> tuple[int, ...]:
    if y_bar.shape != _one_per_row(z, labels):
        raise ShapeError(f"Cotangents {y_bar.shape} are not one a row of {z.shape}.")
    return z.shape


softmax_cross_entropy_back.composed(_composed_back, arguments=2)
softmax_cross_entropy_back.shape(_back_shape)
softmax_cross_entropy_back.dtype(lambda y_bar, z, labels: z.dtype)
leading(softmax_cross_entropy_back)
softmax_cross_entropy_back.cost(lambda y, y_bar, z, labels: 6 * z.size)
softmax_cross_entropy_back.formula(
    r"\bar z_k = (p_k - [k = t])\,\bar y,\; p = \operatorname{softmax} z",
    r"\bar{\bar y} = \langle \bar{\bar z}, p \rangle - \bar{\bar z}_t",
    r"\bar z = \bar y\, p \odot (\bar{\bar z} - \langle \bar{\bar z}, p \rangle)",
)


@elementwise
def sigmoid_cross_entropy(z: Any, t: Any, *, out: Any = None) -> Any:
    """ln(1 + eᶻ) − t z, entry by entry, for a logit z and a target t in [0, 1]; its derivative is σ(z) − t.

    Computed as (max(z, 0) − t z) + ln(1 + e^(−|z|)): for t = 0 or 1 the bracket is exact, so that small
    losses keep all their digits. 000 (4.6), (4.8).
    """
    np_ = xp(z)
    return np_.add(np_.maximum(z, 0) - t * z, np_.log1p(np_.exp(-np_.abs(z))), out=out)


sigmoid_cross_entropy.partials(lambda y, z, t: sigmoid(z) - t, lambda y, z, t: -z)
sigmoid_cross_entropy.cost(lambda y, z, t: 6 * z.size)
sigmoid_cross_entropy.formula(
    r"y = \ln(1 + e^z) - t z", r"\bar z = (\sigma(z) - t) \odot \bar y", r"\bar t = -z \odot \bar y"
)


@elementwise
def clamped_log(x: Any, *, out: Any = None) -> Any:
    """max(ln x, −100) for x ≥ 0, with a derivative of at most 10¹²: for a probability that may be 0."""
    with np.errstate(divide="ignore"):
        return xp(x).maximum(xp(x).log(x), LOG_FLOOR, out=out)


clamped_log.partials(lambda y, x: 1 / maximum(x, STEEPEST))
clamped_log.formula(r"y = \max(\ln x, -100)", r"\bar x = \bar y / \max(x, 10^{-12})")
