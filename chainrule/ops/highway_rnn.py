"""The recurrent highway over a whole sequence, with its backpropagation through time. 003 §16.8.

What the gate lets through where it is closed is the old state (`carry="state"`; Zilly et al. 2017 with one
layer a step), or the input, as in the code of 003 §16.8 (`carry="input"`), which is as wide as the state then.
"""

from __future__ import annotations

from typing import Any

from chainrule.backends import into_each, xp
from chainrule.base.errors import OptionError
from chainrule.core.batch import leading
from chainrule.core.fused import fused
from chainrule.core.vocabulary import words
from chainrule.ops.activations import sigmoid
from chainrule.ops.rnn import NONLINEARITIES, check_nonlinearity
from chainrule.ops.sequences import (
    activate,
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
    outs,
    over_sequences,
    over_time,
    parts,
    product_cost,
    project,
    recurrent,
    recurrent_out,
    slope,
    squash,
    steps,
    steps_of_mask,
    weight_bar,
    weight_share,
)
from chainrule.ops.shapes import concatenate


def check_carry(carry: str, of: str) -> None:
    """Refuse to carry what is not known.

    Raises:
        OptionError: it is neither the state nor the input.
    """
    if carry not in ("state", "input"):
        raise OptionError(f"{of} cannot carry {carry!r}.", known="state, input")


def highway_step(z: Any, carried: Any, nonlinearity: str) -> tuple[Any, Any]:
    """The state, and the gate t and the candidate n side by side, from z = W x + U h + b and what is carried."""
    t, n = parts(z, 2)
    t, n = sigmoid(t), NONLINEARITIES[nonlinearity](n)
    return t * n + (1 - t) * carried, concatenate([t, n], -1)


@words.define
def highway_cell(
    x: Any, h: Any, w_ih: Any, w_hh: Any, b: Any = None, carry: str = "state", nonlinearity: str = "tanh"
) -> Any:
    """One step of a recurrent highway: h' = t ⊙ n + (1 − t) ⊙ c, from elementary operations.

    Gate t = σ(W x + U h + b), candidate n = φ(W x + U h + b), in this order along the first axis of W (2h, in),
    U (2h, h), b (2h); c is the old state h, or the input x with `carry="input"`. Shapes: x (n, in), h (n, h).

    Raises:
        OptionError: there is no such nonlinearity, or nothing of this name to carry.
    """
    check_nonlinearity(nonlinearity, "highway_cell")
    check_carry(carry, "highway_cell")
    return highway_step(mapped(x, w_ih, b) + mapped(h, w_hh), h if carry == "state" else x, nonlinearity)[0]


@fused
def highway_rnn_(
    x: Any, h0: Any, w_ih: Any, w_hh: Any, b: Any, mask: Any = None, *,
    carry: str, nonlinearity: str, reverse: bool, out: Any = None,
) -> Any:  # fmt: skip
    """States h (…, n, T, h), and gate and candidate t, n (…, n, T, 2h), of all steps.

    Where the mask is False the state passes unchanged.
    """
    np_ = xp(x)
    xs = by_time(x, reverse)
    a = project(xs, w_ih, b)  # pre-activations that become t, n
    gates, news = parts(a, 2)
    hs, taken = np_.empty_like(a, shape=gates.shape), None if mask is None else steps_of_mask(mask, reverse)
    h, product = h0, recurrent_out(w_hh, h0)
    for t in range(len(a)):
        a[t] += recurrent(w_hh, h, product)
        squash(np_, gates[t])
        activate(np_, news[t], nonlinearity)
        carried = h if carry == "state" else xs[t]
        np_.subtract(news[t], carried, out=hs[t])  # h' = c + t (n − c)
        hs[t] *= gates[t]
        hs[t] += carried
        if taken is not None:
            hs[t] = np_.where(taken[t], hs[t], h)
        h = hs[t]
    places = outs(out, 2)
    return tuple(by_example(v, reverse, o) for v, o in zip((hs, a), places, strict=True))


def _composed(
    x: Any, h: Any, w_ih: Any, w_hh: Any, b: Any, mask: Any = None, *, carry: str, nonlinearity: str, reverse: bool
) -> tuple[Any, ...]:
    states, gates = [], []
    masks = mask_steps(mask, reverse, x.shape[-2])
    for x_t, m in zip(steps(x, reverse), masks, strict=True):
        z = mapped(x_t, w_ih, b) + mapped(h, w_hh)
        new, a = highway_step(z, h if carry == "state" else x_t, nonlinearity)
        h = kept(m, new, h)
        states.append(h)
        gates.append(a)
    return joined(states, reverse), joined(gates, reverse)


def _shapes(
    x: Any, h0: Any, w_ih: Any, w_hh: Any, b: Any, mask: Any = None, *, carry: str, nonlinearity: str, reverse: bool
) -> list[tuple[int, ...]]:
    *front, n, length, features = x.shape
    size = h0.shape[-1]
    wanted = {
        "x": (*front, n, length, size if carry == "input" else features),
        "h0": (*front, n, size),
        "weight_ih": (*front, 2 * size, features),
        "weight_hh": (*front, 2 * size, size),
        "bias": (*front, 2 * size),
        "mask": (*front, n, length),
    }
    fitting("highway_rnn", dict(zip(wanted, (x, h0, w_ih, w_hh, b, mask), strict=True)), wanted)
    return [(*front, n, length, size), (*front, n, length, 2 * size)]


@fused
def highway_rnn_back(
    h_bar: Any, a_bar: Any, h: Any, a: Any, x: Any, h0: Any, w_hh: Any, mask: Any = None, *,
    carry: str, nonlinearity: str, reverse: bool, out: Any = None,
) -> Any:  # fmt: skip
    """δ = dL/dz and c̄ of all steps, and the cotangents of h₀, the weights and the bias, from those of `highway_rnn`'s.

        δ = (h̄ ⊙ (n − c) ⊙ t(1 − t), h̄ ⊙ t ⊙ φ'),   c̄ = h̄ ⊙ (1 − t),   h̄₋ = δ U (+ c̄, where c = h₋)
        W̄ = Σ δᵀ x,  Ū = Σ δᵀ h₋,  b̄ = Σ δ

    All that does not depend on h̄ is made for all steps at once.
    """
    np_ = xp(x)
    hs, acts, xs = (by_time(v, reverse) for v in (h, a, x))
    h_in, a_in = over_time(h_bar, reverse), over_time(a_bar, reverse)
    taken = None if mask is None else steps_of_mask(mask, reverse)
    earlier, (gates, news) = before(h0, hs), parts(acts, 2)
    slopes = np_.concatenate([gates - gates * gates, slope(np_, news, nonlinearity)], -1)
    delta = slopes * np_.concatenate([news - (earlier if carry == "state" else xs), gates], -1)
    besides = None if a_in is None else slopes * a_in
    from_gates, from_news = parts(delta, 2)
    dh, carried = np_.zeros_like(h0), 1 - gates
    for t in reversed(range(len(acts))):
        if h_in is not None:
            dh = dh + h_in[t]
        arrived = dh if taken is None else dh * taken[t]
        from_gates[t] *= arrived
        from_news[t] *= arrived
        carried[t] *= arrived
        if besides is not None:
            delta[t] += besides[t]
        past = delta[t] @ w_hh
        if carry == "state":
            past += carried[t]
        dh = past if taken is None else past + (dh - arrived)
    weights = (weight_bar(delta, xs), weight_bar(delta, earlier), bias_bar(delta))
    return into_each(out, (by_example(delta, reverse), by_example(carried, reverse), dh, *weights))


def _composed_back(
    h_bar: Any, a_bar: Any, h: Any, a: Any, x: Any, h0: Any, w_hh: Any, mask: Any = None, *,
    carry: str, nonlinearity: str, reverse: bool,
) -> tuple[Any, ...]:  # fmt: skip
    hs, xs = [h0, *steps(h, reverse)], steps(x, reverse)
    h_in, a_in, acts = (steps(v, reverse) for v in (h_bar, a_bar, a))
    masks = mask_steps(mask, reverse, x.shape[-2])
    dh, deltas, carried = 0 * h0, [], []
    for t in reversed(range(len(masks))):
        dh = dh + h_in[t]
        passed = kept(masks[t], 0 * dh, dh)
        dh = dh - passed
        (gate, new), (gate_in, new_in) = parts(acts[t], 2), parts(a_in[t], 2)
        from_gate = (dh * (new - (hs[t] if carry == "state" else xs[t])) + gate_in) * gate * (1 - gate)
        from_new = (dh * gate + new_in) * (1 - new * new if nonlinearity == "tanh" else new > 0)
        deltas.insert(0, concatenate([from_gate, from_new], -1))
        carried.insert(0, dh * (1 - gate))
        dh = words.matmul(deltas[0], w_hh) + passed
        dh = dh + carried[0] if carry == "state" else dh
    weights = weight_share(deltas, xs), weight_share(deltas, hs[:-1]), bias_share(deltas)
    return joined(deltas, reverse), joined(carried, reverse), dh, *weights


def _bars(needed: Any, bars: Any, ys: Any, *args: Any, **params: Any) -> tuple[Any, ...]:
    x, h0, w_ih, w_hh, _, *mask = args
    delta, carried, *rest = highway_rnn_back(*bars, *ys, x, h0, w_hh, *mask, **params)
    x_bar = input_bar(needed[0], delta, w_ih)
    return x_bar + carried if needed[0] and params["carry"] == "input" else x_bar, *rest


def _shapes_back(
    h_bar: Any, a_bar: Any, h: Any, a: Any, x: Any, h0: Any, w_hh: Any, mask: Any = None, **params: Any
) -> list[tuple[int, ...]]:
    rows = w_hh.shape[:-1]
    return [a.shape, h.shape, h0.shape, (*rows, x.shape[-1]), w_hh.shape, rows]


highway_rnn_.composed(_composed, arguments=5)
highway_rnn_.backward(_bars)
highway_rnn_.shape(_shapes)
highway_rnn_.cost(product_cost(2, 3))
highway_rnn_.workspace(lambda y, x, h0, *rest, **_: 2 * y[0].nbytes + max(x.nbytes, y[0].nbytes + 2 * h0.nbytes))
over_sequences(highway_rnn_, weights=(2, 3, 4))
highway_rnn_.formula(
    r"t = \sigma(W x_t + U h_{t-1} + b),\; n = \varphi(W' x_t + U' h_{t-1} + b'),\; "
    r"h_t = t \odot n + (1 - t) \odot c_t",
    r"\bar x_t = W^\top \delta_t",
    r"\bar h_{t-1} = U^\top \delta_t + (1 - t) \odot \bar h_t",
    r"\bar W = \textstyle\sum_t \delta_t x_t^\top",
    r"\bar U = \textstyle\sum_t \delta_t h_{t-1}^\top",
    r"\bar b = \textstyle\sum_t \delta_t",
)
highway_rnn_back.composed(_composed_back, arguments=7)
highway_rnn_back.shape(_shapes_back)
highway_rnn_back.cost(lambda y, h_bar, a_bar, h, a, x, *rest, **params: 2.0 * a.size * (x.shape[-1] + 2 * h.shape[-1]))
highway_rnn_back.workspace(lambda y, h_bar, a_bar, h, a, x, *rest, **_: 8 * h.nbytes + max(x.nbytes, h.nbytes))
leading(highway_rnn_back)
highway_rnn_back.formula(
    r"\delta_t = (\bar h_t \odot (n - c_t) \odot t (1 - t), \bar h_t \odot t \odot \varphi')",
    *[rf"\bar{{\bar {v}}} = \partial \langle \delta, \cdot \rangle / \partial {v}" for v in
      (r"\bar h", r"\bar a", "h", "a", "x", "h_0", "U")],
)  # fmt: skip
