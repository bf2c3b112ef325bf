"""The highway layer in one kernel: transform, gate and carry; and its derivative in one. 003 §16.8."""

from __future__ import annotations

from math import prod
from typing import Any

from chainrule.backends import into_each, xp
from chainrule.base.errors import ShapeError
from chainrule.core.batch import leading
from chainrule.core.fused import fused
from chainrule.core.vocabulary import words
from chainrule.ops.activations import sigmoid
from chainrule.ops.operands import operand, promote
from chainrule.ops.rnn import NONLINEARITIES, check_nonlinearity
from chainrule.ops.sequences import activate, fitting, mapped, over_sequences, project, slope, squash
from chainrule.ops.shapes import matrix_transpose, reshape

Shapes = list[tuple[int, ...]]


@words.define
def highway(x: Any, weight: Any, bias: Any, gate_weight: Any, gate_bias: Any, nonlinearity: str = "relu") -> Any:
    """y = T ⊙ H + (1 − T) ⊙ x, transform H = φ(W x + b), gate T = σ(W' x + b'), φ ReLU or tanh.

    Where the gate is closed the input passes, and so does its cotangent. Srivastava et al. (2015); 003 §16.8.
    Shapes: x and y (…, features), both weights (features, features), both biases (features).

    Raises:
        OptionError: φ is neither of the two.
        ShapeError: the arguments do not fit together.
    """
    check_nonlinearity(nonlinearity, "highway")
    args = [operand(v) for v in (x, weight, bias, gate_weight, gate_bias)]
    dtype = promote(*(v.dtype for v in args))
    x, *weights = (v if v.dtype == dtype else words.astype(v, dtype) for v in args)
    if not x.shape:
        raise ShapeError("highway carries its input through, got a single number.", fix="x.reshape(1, 1)")
    rows = reshape(x, (prod(x.shape[:-1]), x.shape[-1]))
    return reshape(highway_(rows, *weights, nonlinearity=nonlinearity)[0], x.shape)


@fused
def highway_(x: Any, w: Any, b: Any, w_gate: Any, b_gate: Any, *, nonlinearity: str, out: Any = None) -> Any:
    """y = T ⊙ H + (1 − T) ⊙ x, transform H = φ(W x + b) and gate T = σ(W' x + b'), all (…, n, features)."""
    np_ = xp(x)
    new = activate(np_, project(x, w, b), nonlinearity)
    gate = squash(np_, project(x, w_gate, b_gate))
    y = new - x  # y = x + T (H − x)
    y *= gate
    y += x
    return into_each(out, (y, new, gate))


def _composed(x: Any, w: Any, b: Any, w_gate: Any, b_gate: Any, *, nonlinearity: str) -> tuple[Any, ...]:
    new, gate = NONLINEARITIES[nonlinearity](mapped(x, w, b)), sigmoid(mapped(x, w_gate, b_gate))
    return gate * new + (1 - gate) * x, new, gate


def _shapes(x: Any, w: Any, b: Any, w_gate: Any, b_gate: Any, *, nonlinearity: str) -> Shapes:
    *front, _, size = x.shape
    wanted = {
        "x": x.shape,
        "weight": (*front, size, size),
        "bias": (*front, size),
        "gate_weight": (*front, size, size),
        "gate_bias": (*front, size),
    }
    fitting("highway", dict(zip(wanted, (x, w, b, w_gate, b_gate), strict=True)), wanted)
    return [x.shape] * 3


@fused
def highway_back(
    y_bar: Any, new_bar: Any, gate_bar: Any, new: Any, gate: Any, x: Any, w: Any, w_gate: Any, *,
    nonlinearity: str, out: Any = None,
) -> Any:  # fmt: skip
    """δ = dL/dz of transform and gate, and the cotangents of all arguments of `highway`, from those of its results.

    δ = φ' ⊙ (ȳ ⊙ T + H̄),   δ' = T(1 − T) ⊙ (ȳ ⊙ (H − x) + T̄)
    x̄ = ȳ ⊙ (1 − T) + δ W + δ' W',   W̄ = δᵀ x,  b̄ = Σ δ,  W̄' = δ'ᵀ x,  b̄' = Σ δ'
    """
    np_ = xp(x)
    from_new = y_bar * gate
    from_new += new_bar
    from_new *= slope(np_, new, nonlinearity)
    from_gate = new - x
    from_gate *= y_bar
    from_gate += gate_bar
    from_gate *= gate - gate * gate
    x_bar = y_bar * (1 - gate)
    x_bar += from_new @ w
    x_bar += from_gate @ w_gate
    weights = (v for delta in (from_new, from_gate) for v in (np_.swapaxes(delta, -1, -2) @ x, np_.sum(delta, axis=-2)))
    return into_each(out, (from_new, from_gate, x_bar, *weights))


def _composed_back(
    y_bar: Any, new_bar: Any, gate_bar: Any, new: Any, gate: Any, x: Any, w: Any, w_gate: Any, *, nonlinearity: str
) -> tuple[Any, ...]:
    from_new = (y_bar * gate + new_bar) * (1 - new * new if nonlinearity == "tanh" else new > 0)
    from_gate = (y_bar * (new - x) + gate_bar) * gate * (1 - gate)
    x_bar = y_bar * (1 - gate) + words.matmul(from_new, w) + words.matmul(from_gate, w_gate)
    weights = [v for d in (from_new, from_gate) for v in (words.matmul(matrix_transpose(d), x), words.sum(d, -2))]
    return from_new, from_gate, x_bar, *weights


def _bars(needed: Any, bars: Any, ys: Any, *args: Any, nonlinearity: str) -> tuple[Any, ...]:
    x, w, _, w_gate, _ = args
    return highway_back(*bars, *ys[1:], x, w, w_gate, nonlinearity=nonlinearity)[2:]


def _shapes_back(
    y_bar: Any, new_bar: Any, gate_bar: Any, new: Any, gate: Any, x: Any, w: Any, *rest: Any, **_: Any
) -> Shapes:
    return [x.shape, x.shape, x.shape, *[w.shape, w.shape[:-1]] * 2]


highway_.composed(_composed, arguments=5)
highway_.backward(_bars)
highway_.shape(_shapes)
highway_.cost(lambda y, x, w, *rest, **_: 4.0 * x.size * w.shape[-1])
over_sequences(highway_, weights=(1, 2, 3, 4), axes=2)
highway_.formula(
    r"y = T \odot H + (1 - T) \odot x,\; H = \varphi(W x + b),\; T = \sigma(W' x + b')",
    r"\bar x = (1 - T) \odot \bar y + W^\top \delta + W'^\top \delta'",
    r"\bar W = \delta x^\top,\; \delta = \varphi' \odot T \odot \bar y",
    r"\bar b = \textstyle\sum \delta",
    r"\bar W' = \delta' x^\top,\; \delta' = T (1 - T) \odot (H - x) \odot \bar y",
    r"\bar b' = \textstyle\sum \delta'",
)
highway_back.composed(_composed_back, arguments=8)
highway_back.shape(_shapes_back)
highway_back.cost(lambda y, y_bar, new_bar, gate_bar, new, gate, x, w, *rest, **_: 8.0 * x.size * w.shape[-1])
leading(highway_back)
highway_back.formula(
    r"\delta = \varphi' \odot T \odot \bar y,\; \delta' = T (1 - T) \odot (H - x) \odot \bar y",
    *[rf"\bar{{\bar {v}}} = \partial \langle \delta, \cdot \rangle / \partial {v}" for v in
      (r"\bar y", r"\bar H", r"\bar T", "H", "T", "x", "W", "W'")],
)  # fmt: skip
