"""The residual recurrent network over a whole sequence, with its backpropagation through time. 003 §16.4."""

from __future__ import annotations

from typing import Any

from chainrule.backends import into_each, xp
from chainrule.core.batch import leading
from chainrule.core.fused import fused
from chainrule.core.vocabulary import words
from chainrule.ops.rnn import NONLINEARITIES, check_nonlinearity
from chainrule.ops.sequences import (
    activate,
    before,
    bias_bar,
    bias_share,
    blocks,
    by_example,
    by_time,
    fitting,
    input_bar,
    joined,
    kept,
    mapped,
    mask_steps,
    outs,
    over_sequences,
    over_time,
    parts,
    product_cost,
    project,
    recurrent,
    recurrent_out,
    slope,
    steps,
    steps_of_mask,
    weight_bar,
    weight_share,
)


def residual_rnn_step(z_x: Any, h: Any, u: Any, q: Any, nonlinearity: str) -> tuple[Any, Any]:
    """The state Q h + a, and the activation a = φ(W x + b + U h), from W x + b and the old state."""
    a = NONLINEARITIES[nonlinearity](z_x + mapped(h, u))
    return mapped(h, q) + a, a


@words.define
def residual_rnn_cell(
    x: Any, h: Any, w_ih: Any, w_hh: Any, w_skip: Any, b: Any = None, nonlinearity: str = "tanh"
) -> Any:
    """One step of a residual network: h' = Q h + φ(W x + U h + b), φ tanh or ReLU, from elementary operations.

    Shapes: x (n, in), h (n, h), W (h, in), U and Q (h, h), b (h). 003 §16.4.

    Raises:
        OptionError: there is no such nonlinearity.
    """
    check_nonlinearity(nonlinearity, "residual_rnn_cell")
    return residual_rnn_step(mapped(x, w_ih, b), h, w_hh, w_skip, nonlinearity)[0]


@fused
def residual_rnn_(
    x: Any, h0: Any, w_ih: Any, w_hh: Any, w_skip: Any, b: Any, mask: Any = None, *,
    nonlinearity: str, reverse: bool, out: Any = None,
) -> Any:  # fmt: skip
    """States h and activations a (…, n, T, h) of all steps: hₜ = Q hₜ₋₁ + aₜ, aₜ = φ(W xₜ + U hₜ₋₁ + b).

    Where the mask is False the state passes unchanged. U and Q lie above one another, so that a step is one product.
    """
    np_ = xp(x)
    a, both = project(by_time(x, reverse), w_ih, b), np_.concatenate([w_hh, w_skip], -2)
    hs, taken = np_.empty_like(a), None if mask is None else steps_of_mask(mask, reverse)
    h, product = h0, recurrent_out(both, h0)
    for t in range(len(a)):
        inner, skipped = parts(recurrent(both, h, product), 2)
        a[t] += inner
        activate(np_, a[t], nonlinearity)
        np_.add(skipped, a[t], out=hs[t])
        if taken is not None:
            hs[t] = np_.where(taken[t], hs[t], h)
        h = hs[t]
    places = outs(out, 2)
    return tuple(by_example(v, reverse, o) for v, o in zip((hs, a), places, strict=True))


def _composed(
    x: Any, h: Any, w_ih: Any, w_hh: Any, w_skip: Any, b: Any, mask: Any = None, *,
    nonlinearity: str, reverse: bool,
) -> tuple[Any, ...]:  # fmt: skip
    states, activations = [], []
    masks = mask_steps(mask, reverse, x.shape[-2])
    for x_t, m in zip(steps(x, reverse), masks, strict=True):
        new, a = residual_rnn_step(mapped(x_t, w_ih, b), h, w_hh, w_skip, nonlinearity)
        h = kept(m, new, h)
        states.append(h)
        activations.append(a)
    return joined(states, reverse), joined(activations, reverse)


def _shapes(
    x: Any, h0: Any, w_ih: Any, w_hh: Any, w_skip: Any, b: Any, mask: Any = None, *,
    nonlinearity: str, reverse: bool,
) -> list[tuple[int, ...]]:  # fmt: skip
    *front, n, length, features = x.shape
    size = h0.shape[-1]
    wanted = {
        "x": x.shape,
        "h0": (*front, n, size),
        "weight_ih": (*front, size, features),
        "weight_hh": (*front, size, size),
        "weight_skip": (*front, size, size),
        "bias": (*front, size),
        "mask": (*front, n, length),
    }
    fitting("residual_rnn", dict(zip(wanted, (x, h0, w_ih, w_hh, w_skip, b, mask), strict=True)), wanted)
    return [(*front, n, length, size)] * 2


@fused
def residual_rnn_back(
    h_bar: Any, a_bar: Any, h: Any, a: Any, x: Any, h0: Any, w_hh: Any, w_skip: Any, mask: Any = None, *,
    nonlinearity: str, reverse: bool, out: Any = None,
) -> Any:  # fmt: skip
    """δ = dL/dz of all steps, and the cotangents of h₀, the weights and the bias, from those of the two results.

        δₜ = φ'(zₜ) ⊙ (h̄ₜ + āₜ),   h̄ₜ₋₁ ← h̄ₜ₋₁ + δₜ U + h̄ₜ Q
        W̄ = Σ δᵀ x,  Ū = Σ δᵀ h₋,  Q̄ = Σ h̄ᵀ h₋,  b̄ = Σ δ

    With Q near the identity h̄ reaches far back whatever φ' is, which is what the connection is for.
    """
    np_ = xp(x)
    hs, acts, xs = (by_time(v, reverse) for v in (h, a, x))
    h_in, a_in = over_time(h_bar, reverse), over_time(a_bar, reverse)
    taken = None if mask is None else steps_of_mask(mask, reverse)
    both = np_.concatenate([w_hh, w_skip], -2)
    bars = np_.empty_like(acts, shape=(*acts.shape[:-1], 2 * acts.shape[-1]))
    delta, arrived = parts(bars, 2)  # side by side, so that a step is one product
    delta[...] = slope(np_, acts, nonlinearity)
    dh = np_.zeros_like(h0)
    for t in reversed(range(len(acts))):
        if h_in is not None:
            dh = dh + h_in[t]
        arrived[t] = dh if taken is None else dh * taken[t]
        delta[t] *= arrived[t] if a_in is None else arrived[t] + a_in[t]
        past = bars[t] @ both
        dh = past if taken is None else past + (dh - arrived[t])
    weights = (weight_bar(delta, xs), *blocks(weight_bar(bars, before(h0, hs)), 2), bias_bar(delta))
    return into_each(out, (by_example(delta, reverse), dh, *weights))


def _composed_back(
    h_bar: Any, a_bar: Any, h: Any, a: Any, x: Any, h0: Any, w_hh: Any, w_skip: Any, mask: Any = None, *,
    nonlinearity: str, reverse: bool,
) -> tuple[Any, ...]:  # fmt: skip
    hs, (h_in, a_in, acts) = [h0, *steps(h, reverse)], (steps(v, reverse) for v in (h_bar, a_bar, a))
    masks = mask_steps(mask, reverse, x.shape[-2])
    dh, deltas, arrived = 0 * h0, [], []
    for t in reversed(range(len(masks))):
        dh = dh + h_in[t]
        passed = kept(masks[t], 0 * dh, dh)
        arrived.insert(0, dh - passed)
        steepness = 1 - acts[t] * acts[t] if nonlinearity == "tanh" else acts[t] > 0
        deltas.insert(0, steepness * (arrived[0] + a_in[t]))
        dh = words.matmul(deltas[0], w_hh) + words.matmul(arrived[0], w_skip) + passed
    return (
        joined(deltas, reverse),
        dh,
        weight_share(deltas, steps(x, reverse)),
        weight_share(deltas, hs[:-1]),
        weight_share(arrived, hs[:-1]),
        bias_share(deltas),
    )


def _bars(needed: Any, bars: Any, ys: Any, *args: Any, **params: Any) -> tuple[Any, ...]:
    x, h0, w_ih, w_hh, w_skip, _, *mask = args
    delta, *rest = residual_rnn_back(*bars, *ys, x, h0, w_hh, w_skip, *mask, **params)
    return input_bar(needed[0], delta, w_ih), *rest


def _shapes_back(
    h_bar: Any, a_bar: Any, h: Any, a: Any, x: Any, h0: Any, w_hh: Any, w_skip: Any, mask: Any = None, *,
    nonlinearity: str, reverse: bool,
) -> list[tuple[int, ...]]:  # fmt: skip
    rows = w_hh.shape[:-1]
    return [h.shape, h0.shape, (*rows, x.shape[-1]), w_hh.shape, w_skip.shape, rows]


residual_rnn_.composed(_composed, arguments=6)
residual_rnn_.backward(_bars)
residual_rnn_.shape(_shapes)
residual_rnn_.cost(product_cost(2, 3, 4))
residual_rnn_.workspace(lambda y, x, h0, *rest, **_: y[0].nbytes + max(x.nbytes, y[0].nbytes + 2 * h0.nbytes))
over_sequences(residual_rnn_, weights=(2, 3, 4, 5))
residual_rnn_.formula(
    r"h_t = Q h_{t-1} + a_t,\; a_t = \varphi(W x_t + U h_{t-1} + b)",
    r"\bar x_t = W^\top \delta_t,\; \delta_t = \varphi'(z_t) \odot (\bar h_t + \bar a_t)",
    r"\bar h_{t-1} = U^\top \delta_t + Q^\top \bar h_t",
    r"\bar W = \textstyle\sum_t \delta_t x_t^\top",
    r"\bar U = \textstyle\sum_t \delta_t h_{t-1}^\top",
    r"\bar Q = \textstyle\sum_t \bar h_t h_{t-1}^\top",
    r"\bar b = \textstyle\sum_t \delta_t",
)
residual_rnn_back.composed(_composed_back, arguments=8)
residual_rnn_back.shape(_shapes_back)
residual_rnn_back.cost(lambda y, h_bar, a_bar, h, a, x, *rest, **params: 2.0 * h.size * (x.shape[-1] + 4 * h.shape[-1]))
residual_rnn_back.workspace(lambda y, h_bar, a_bar, h, a, x, *rest, **_: 3 * h.nbytes + max(x.nbytes, 3 * h.nbytes))
leading(residual_rnn_back)
residual_rnn_back.formula(
    r"\delta_t = \varphi'(z_t) \odot (\bar h_t + \bar a_t)",
    *[rf"\bar{{\bar {v}}} = \partial \langle \delta, \cdot \rangle / \partial {v}" for v in
      (r"\bar h", r"\bar a", "h", "a", "x", "h_0", "U", "Q")],
)  # fmt: skip
