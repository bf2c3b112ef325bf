"""The gated recurrent unit as PyTorch has it, over a whole sequence, with its backpropagation through time.

The one of the documents, which differs in two places, is in `chung_gru`.
"""

from __future__ import annotations

from typing import Any

from chainrule.backends import into_each, xp
from chainrule.core.batch import leading
from chainrule.core.fused import fused
from chainrule.core.vocabulary import words
from chainrule.ops.activations import sigmoid
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
    outs,
    over_sequences,
    over_time,
    parts,
    product_cost,
    project,
    recurrent,
    recurrent_out,
    squash,
    steps,
    steps_of_mask,
    weight_bar,
    weight_share,
)
from chainrule.ops.shapes import concatenate


def gru_step(z_x: Any, z_h: Any, h: Any) -> tuple[Any, Any]:
    """The state, and r, z, n and the recurrent part of the candidate side by side, from W x + b and U h + b'."""
    (r_x, z_x, n_x), (r_h, z_h, m) = parts(z_x, 3), parts(z_h, 3)
    r, z = sigmoid(r_x + r_h), sigmoid(z_x + z_h)
    n = tanh(n_x + r * m)
    return (1 - z) * n + z * h, concatenate([r, z, n, m], -1)


@words.define
def gru_cell(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """One step of PyTorch's GRU: h' = (1 − z) ⊙ n + z ⊙ h, from elementary operations.

    Gates r, z = σ(W x + b + U h + b'), candidate n = tanh(W x + b + r ⊙ (U h + b')), in the order r, z, n along
    the first axis of W (3h, in), U (3h, h). The update gate z keeps the old state. Shapes: x (n, in), h (n, h).
    """
    return gru_step(mapped(x, w_ih, b_ih), mapped(h, w_hh, b_hh), h)[0]


@fused
def gru_(
    x: Any, h0: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, mask: Any = None, *, reverse: bool, out: Any = None
) -> Any:
    """States h (…, n, T, h), and r, z, n and m = U h₋ + b' of the candidate (…, n, T, 4h), of all steps.

    Where the mask is False the state passes unchanged.
    """
    np_ = xp(x)
    z_x, n = project(by_time(x, reverse), w_ih, b_ih), h0.shape[-1]
    a = np_.empty((*z_x.shape[:-1], 4 * n), z_x.dtype)
    hs = np_.empty((*z_x.shape[:-1], n), z_x.dtype)
    held = None if mask is None else ~steps_of_mask(mask, reverse)
    h, product = h0, recurrent_out(w_hh, h0)
    for t in range(len(hs)):
        z_h = recurrent(w_hh, h, product)
        z_h += b_hh[..., None, :]
        _, z, new, m = parts(a[t], 4)
        np_.add(z_x[t, ..., : 2 * n], z_h[..., : 2 * n], out=a[t, ..., : 2 * n])
        squash(np_, a[t, ..., : 2 * n])
        m[...] = z_h[..., 2 * n :]
        np_.multiply(a[t, ..., :n], m, out=new)
        new += z_x[t, ..., 2 * n :]
        np_.tanh(new, out=new)
        np_.subtract(h, new, out=hs[t])  # h' = n + z (h − n)
        hs[t] *= z
        hs[t] += new
        if held is not None:
            np_.copyto(hs[t], h, where=held[t])
        h = hs[t]
    places = outs(out, 2)
    return tuple(by_example(v, reverse, o) for v, o in zip((hs, a), places, strict=True))


def _composed(
    x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, mask: Any = None, *, reverse: bool
) -> tuple[Any, ...]:
    states, gates = [], []
    masks = mask_steps(mask, reverse, x.shape[-2])
    for x_t, m in zip(steps(x, reverse), masks, strict=True):
        new, a = gru_step(mapped(x_t, w_ih, b_ih), mapped(h, w_hh, b_hh), h)
        h = kept(m, new, h)
        states.append(h)
        gates.append(a)
    return joined(states, reverse), joined(gates, reverse)


def _shapes(
    x: Any, h0: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, mask: Any = None, *, reverse: bool
) -> list[tuple[int, ...]]:
    *front, n, length, features = x.shape
    size = h0.shape[-1]
    wanted = {
        "x": x.shape,
        "h0": (*front, n, size),
        "weight_ih": (*front, 3 * size, features),
        "weight_hh": (*front, 3 * size, size),
        "bias_ih": (*front, 3 * size),
        "bias_hh": (*front, 3 * size),
        "mask": (*front, n, length),
    }
    fitting("gru", dict(zip(wanted, (x, h0, w_ih, w_hh, b_ih, b_hh, mask), strict=True)), wanted)
    return [(*front, n, length, size), (*front, n, length, 4 * size)]


@fused
def gru_back(
    h_bar: Any, a_bar: Any, h: Any, a: Any, x: Any, h0: Any, w_hh: Any, mask: Any = None, *,
    reverse: bool, out: Any = None,
) -> Any:  # fmt: skip
    """δˣ of all steps, and the cotangents of h₀, the weights and both biases, from those of the results of `gru`.

    With ν = h̄ ⊙ (1 − z) ⊙ (1 − n²):

        δˣ = (ν ⊙ m ⊙ r(1 − r), h̄ ⊙ (h₋ − n) ⊙ z(1 − z), ν),   δʰ = (δʳ, δᶻ, ν ⊙ r),   h̄₋ = h̄ ⊙ z + δʰ U

    W̄ = Σ δˣᵀ x, Ū = Σ δʰᵀ h₋, b̄ = Σ δˣ, b̄' = Σ δʰ, each one product over all steps.
    """
    np_ = xp(x)
    hs, acts, xs = (by_time(v, reverse) for v in (h, a, x))
    h_in, a_in = over_time(h_bar, reverse), over_time(a_bar, reverse)
    held = None if mask is None else ~steps_of_mask(mask, reverse)
    n = h0.shape[-1]
    from_x, from_h = (np_.empty((*hs.shape[:-1], 3 * n), hs.dtype) for _ in range(2))
    dh = np_.zeros(h0.shape, hs.dtype)
    for t in reversed(range(len(hs))):
        dh += 0 if h_in is None else h_in[t]
        passed = None if held is None else dh * held[t]
        if held is not None:
            dh *= ~held[t]
        (r, z, new, m), (dr, dz, dn) = parts(acts[t], 4), parts(from_x[t], 3)
        r_in, z_in, n_in, m_in = (0, 0, 0, 0) if a_in is None else parts(a_in[t], 4)
        np_.multiply(dh, 1 - z, out=dn)
        dn += n_in
        dn *= 1 - new * new
        np_.multiply(dn, m, out=dr)
        dr += r_in
        dr *= r - r * r
        np_.multiply(dh, (hs[t - 1] if t else h0) - new, out=dz)
        dz += z_in
        dz *= z - z * z
        from_h[t, ..., : 2 * n] = from_x[t, ..., : 2 * n]
        np_.multiply(dn, r, out=from_h[t, ..., 2 * n :])
        from_h[t, ..., 2 * n :] += m_in
        dh *= z
        dh += from_h[t] @ w_hh
        if passed is not None:
            dh += passed
    weights = (weight_bar(from_x, xs), weight_bar(from_h, before(h0, hs)), bias_bar(from_x), bias_bar(from_h))
    return into_each(out, (by_example(from_x, reverse), dh, *weights))


def _composed_back(
    h_bar: Any, a_bar: Any, h: Any, a: Any, x: Any, h0: Any, w_hh: Any, mask: Any = None, *,
    reverse: bool,
) -> tuple[Any, ...]:  # fmt: skip
    hs, (h_in, a_in, acts) = [h0, *steps(h, reverse)], (steps(v, reverse) for v in (h_bar, a_bar, a))
    masks = mask_steps(mask, reverse, x.shape[-2])
    dh, from_x, from_h = 0 * h0, [], []
    for t in reversed(range(len(masks))):
        dh = dh + h_in[t]
        passed = kept(masks[t], 0 * dh, dh)
        dh = dh - passed
        (r, z, n, m), (r_in, z_in, n_in, m_in) = parts(acts[t], 4), parts(a_in[t], 4)
        dn = (dh * (1 - z) + n_in) * (1 - n * n)
        dr = (dn * m + r_in) * r * (1 - r)
        dz = (dh * (hs[t] - n) + z_in) * z * (1 - z)
        from_x.insert(0, concatenate([dr, dz, dn], -1))
        from_h.insert(0, concatenate([dr, dz, dn * r + m_in], -1))
        dh = dh * z + words.matmul(from_h[0], w_hh) + passed
    weights = weight_share(from_x, steps(x, reverse)), weight_share(from_h, hs[:-1])
    return joined(from_x, reverse), dh, *weights, bias_share(from_x), bias_share(from_h)


def _bars(needed: Any, bars: Any, ys: Any, *args: Any, reverse: bool) -> tuple[Any, ...]:
    x, h0, w_ih, w_hh, _, _, *mask = args
    delta, *rest = gru_back(*bars, *ys, x, h0, w_hh, *mask, reverse=reverse)
    return input_bar(needed[0], delta, w_ih), *rest


def _shapes_back(
    h_bar: Any, a_bar: Any, h: Any, a: Any, x: Any, h0: Any, w_hh: Any, mask: Any = None, *, reverse: bool
) -> list[tuple[int, ...]]:
    rows = w_hh.shape[:-1]
    delta = (*h.shape[:-1], 3 * h.shape[-1])
    return [delta, h0.shape, (*rows, x.shape[-1]), w_hh.shape, rows, rows]


gru_.composed(_composed, arguments=6)
gru_.backward(_bars)
gru_.shape(_shapes)
gru_.cost(product_cost(2, 3))
gru_.workspace(lambda y, x, h0, *rest, **_: 3 * y[0].nbytes + max(x.nbytes, 5 * y[0].nbytes + 3 * h0.nbytes))
over_sequences(gru_, weights=(2, 3, 4, 5))
gru_.formula(
    r"(r, z) = \sigma(W x_t + b + U h_{t-1} + b'),\; n = \tanh(W x_t + b + r \odot (U h_{t-1} + b')),\; "
    r"h_t = (1 - z) \odot n + z \odot h_{t-1}",
    r"\bar x_t = W^\top \delta^x_t",
    r"\bar h_{t-1} = z \odot \bar h_t + U^\top \delta^h_t",
    r"\bar W = \textstyle\sum_t \delta^x_t x_t^\top",
    r"\bar U = \textstyle\sum_t \delta^h_t h_{t-1}^\top",
    r"\bar b = \textstyle\sum_t \delta^x_t",
    r"\bar b' = \textstyle\sum_t \delta^h_t",
)
gru_back.composed(_composed_back, arguments=7)
gru_back.shape(_shapes_back)
gru_back.cost(lambda y, h_bar, a_bar, h, a, x, *rest, reverse: 6.0 * h.size * (x.shape[-1] + 2 * h.shape[-1]))
gru_back.workspace(lambda y, h_bar, a_bar, h, a, x, *rest, **_: 6 * h.nbytes + max(x.nbytes, 2 * h.nbytes))
leading(gru_back)
gru_back.formula(
    r"\delta^x_t = (\bar r \odot r (1 - r), \bar z \odot z (1 - z), \bar n \odot (1 - n^2))",
    *[rf"\bar{{\bar {v}}} = \partial \langle \delta, \cdot \rangle / \partial {v}" for v in
      (r"\bar h", r"\bar a", "h", "a", "x", "h_0", "U")],
)  # fmt: skip
