"""The plain recurrent network over a whole sequence, with its backpropagation through time."""

from __future__ import annotations

from typing import Any

from chainrule.backends import into_each, xp
from chainrule.base.errors import OptionError
from chainrule.core.batch import leading
from chainrule.core.fused import fused
from chainrule.core.vocabulary import words
from chainrule.ops.activations import relu
from chainrule.ops.elementary import tanh
from chainrule.ops.sequences import (
    before,
    bias_bar,
    bias_share,
    by_example,
    by_time,
    fitting,
    input_bar,
    joined,
    kept,
    mapped,
    mask_steps,
    over_sequences,
    over_time,
    product_cost,
    project,
    recurrent,
    recurrent_out,
    steps,
    steps_of_mask,
    weight_bar,
    weight_share,
)

NONLINEARITIES = {"tanh": tanh, "relu": relu}


def check_nonlinearity(nonlinearity: str, of: str) -> None:
    """Refuse a nonlinearity that there is no kernel for.

    Raises:
        OptionError: it is neither tanh nor ReLU.
    """
    if nonlinearity not in NONLINEARITIES:
        raise OptionError(f"There is no nonlinearity {nonlinearity!r} for {of}.", known=", ".join(NONLINEARITIES))


@words.define
def rnn_cell(x: Any, h: Any, w_ih: Any, w_hh: Any, b: Any = None, nonlinearity: str = "tanh") -> Any:
    """One step of a recurrent network: h' = φ(W x + U h + b), φ tanh or ReLU, from elementary operations.

    Shapes: x (n, in), h (n, h), W (h, in), U (h, h), b (h). 000 (15.2)-(15.3), 004 (106).

    Raises:
        OptionError: there is no such nonlinearity.
    """
    check_nonlinearity(nonlinearity, "rnn_cell")
    return NONLINEARITIES[nonlinearity](mapped(x, w_ih, b) + mapped(h, w_hh))


@fused
def rnn_(
    x: Any, h0: Any, w_ih: Any, w_hh: Any, b: Any, mask: Any = None, *,
    nonlinearity: str, reverse: bool, out: Any = None,
) -> Any:  # fmt: skip
    """States h (…, n, T, h) of all steps: hₜ = φ(W xₜ + U hₜ₋₁ + b). Where the mask is False the state passes."""
    np_ = xp(x)
    hs = project(by_time(x, reverse), w_ih, b)  # (T, …, n, h): pre-activations that become the states
    held = None if mask is None else ~steps_of_mask(mask, reverse)
    h, product = h0, recurrent_out(w_hh, h0)
    for t in range(len(hs)):
        hs[t] += recurrent(w_hh, h, product)
        if nonlinearity == "tanh":
            np_.tanh(hs[t], out=hs[t])
        else:
            np_.maximum(hs[t], 0, out=hs[t])
        if held is not None:
            np_.copyto(hs[t], h, where=held[t])
        h = hs[t]
    return by_example(hs, reverse, out)


def _composed(
    x: Any, h: Any, w_ih: Any, w_hh: Any, b: Any, mask: Any = None, *, nonlinearity: str, reverse: bool
) -> Any:
    rows = []
    masks = mask_steps(mask, reverse, x.shape[-2])
    for x_t, m in zip(steps(x, reverse), masks, strict=True):
        h = kept(m, rnn_cell(x_t, h, w_ih, w_hh, b, nonlinearity), h)
        rows.append(h)
    return joined(rows, reverse)


def _shapes(
    x: Any, h0: Any, w_ih: Any, w_hh: Any, b: Any, mask: Any = None, *, nonlinearity: str, reverse: bool
) -> tuple[int, ...]:
    *front, n, length, features = x.shape
    size = h0.shape[-1]
    wanted = {
        "x": x.shape,
        "h0": (*front, n, size),
        "weight_ih": (*front, size, features),
        "weight_hh": (*front, size, size),
        "bias": (*front, size),
        "mask": (*front, n, length),
    }
    fitting("rnn", dict(zip(wanted, (x, h0, w_ih, w_hh, b, mask), strict=True)), wanted)
    return (*front, n, length, size)


@fused
def rnn_back(
    h_bar: Any, h: Any, x: Any, h0: Any, w_hh: Any, mask: Any = None, *,
    nonlinearity: str, reverse: bool, out: Any = None,
) -> Any:  # fmt: skip
    """δ = dL/dz of all steps, and the cotangents of h₀, the weights and the bias, from that of `rnn`'s states.

        δₜ = φ'(zₜ) ⊙ (h̄ₜ + δₜ₊₁ U),   W̄ = Σ δᵀ x,  Ū = Σ δᵀ h₋,  b̄ = Σ δ

    000 (15.11)-(15.22). φ' comes from the state: 1 − h² for tanh, [h > 0] for ReLU.
    """
    np_ = xp(x)
    hs, xs, h_in = by_time(h, reverse), by_time(x, reverse), over_time(h_bar, reverse)
    held = None if mask is None else ~steps_of_mask(mask, reverse)
    delta = (1 - hs * hs) if nonlinearity == "tanh" else (hs > 0).astype(hs.dtype)
    dh = np_.zeros(h0.shape, hs.dtype)
    for t in reversed(range(len(hs))):
        dh += 0 if h_in is None else h_in[t]
        delta[t] *= dh
        if held is None:
            np_.matmul(delta[t], w_hh, out=dh)
        else:
            delta[t] *= ~held[t]
            dh *= held[t]
            dh += delta[t] @ w_hh
    weights = (weight_bar(delta, xs), weight_bar(delta, before(h0, hs)), bias_bar(delta))
    return into_each(out, (by_example(delta, reverse), dh, *weights))


def _composed_back(
    h_bar: Any, h: Any, x: Any, h0: Any, w_hh: Any, mask: Any = None, *,
    nonlinearity: str, reverse: bool,
) -> tuple[Any, ...]:  # fmt: skip
    hs, h_in = [h0, *steps(h, reverse)], steps(h_bar, reverse)
    masks = mask_steps(mask, reverse, x.shape[-2])
    dh, deltas = 0 * h0, []
    for t in reversed(range(len(masks))):
        dh, state = dh + h_in[t], hs[t + 1]
        slope = 1 - state * state if nonlinearity == "tanh" else state > 0
        passed = kept(masks[t], 0 * dh, dh)
        deltas.insert(0, slope * (dh - passed))
        dh = words.matmul(deltas[0], w_hh) + passed
    return (
        joined(deltas, reverse),
        dh,
        weight_share(deltas, steps(x, reverse)),
        weight_share(deltas, hs[:-1]),
        bias_share(deltas),
    )


def _bars(needed: Any, h_bar: Any, h: Any, *args: Any, **params: Any) -> tuple[Any, ...]:
    x, h0, w_ih, w_hh, _, *mask = args
    delta, *bars = rnn_back(h_bar, h, x, h0, w_hh, *mask, **params)
    return input_bar(needed[0], delta, w_ih), *bars


def _shapes_back(
    h_bar: Any, h: Any, x: Any, h0: Any, w_hh: Any, mask: Any = None, *, nonlinearity: str, reverse: bool
) -> list[tuple[int, ...]]:
    return [h.shape, h0.shape, (*w_hh.shape[:-1], x.shape[-1]), w_hh.shape, w_hh.shape[:-1]]


rnn_.composed(_composed, arguments=5)
rnn_.backward(_bars)
rnn_.shape(_shapes)
rnn_.cost(product_cost(2, 3))
rnn_.workspace(lambda y, x, h0, *rest, **_: y.nbytes + max(x.nbytes, h0.nbytes))
over_sequences(rnn_, weights=(2, 3, 4))
rnn_.formula(
    r"h_t = \varphi(W x_t + U h_{t-1} + b)",
    r"\bar x_t = W^\top \delta_t,\; \delta_t = \varphi'(z_t) \odot (\bar h_t + U^\top \delta_{t+1})",
    r"\bar h_0 = U^\top \delta_1",
    r"\bar W = \textstyle\sum_t \delta_t x_t^\top",
    r"\bar U = \textstyle\sum_t \delta_t h_{t-1}^\top",
    r"\bar b = \textstyle\sum_t \delta_t",
)
rnn_back.composed(_composed_back, arguments=5)
rnn_back.shape(_shapes_back)
rnn_back.cost(lambda y, h_bar, h, x, h0, w_hh, *mask, **_: 2.0 * h.size * (x.shape[-1] + 2 * w_hh.shape[-1]))
rnn_back.workspace(lambda y, h_bar, h, x, *rest, **_: 2 * h.nbytes + max(x.nbytes, 2 * h.nbytes))
leading(rnn_back)
rnn_back.formula(
    r"\delta_t = \varphi'(h_t) \odot (\bar h_t + U^\top \delta_{t+1})",
    r"\bar{\bar h}_t = \varphi'(h_t) \odot d_t",
    r"\bar h_t = \varphi''(h_t) \odot \bar h_t \odot d_t + U \bar{\bar U}",
    r"\bar x_t = \bar{\bar W}^\top \delta_t",
    r"\bar h_0 = \bar{\bar U}^\top \delta_1",
    r"\bar U = \textstyle\sum_t \delta_t d_{t-1}^\top",
)
