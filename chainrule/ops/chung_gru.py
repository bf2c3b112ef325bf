"""The gated recurrent unit of the documents (003 §16.6, 004 (114)-(117)), over a whole sequence.

It differs from PyTorch's (`gru`) in two places: the update gate multiplies the candidate, not the old state; and
the reset gate acts on the state before the matrix product, so that one bias is enough. Chung et al. (2014).
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


def chung_gru_step(z: Any, h: Any, u: Any) -> tuple[Any, Any]:
    """The state, and r, z, n side by side, from W x + b, the old state and U."""
    n = h.shape[-1]
    recurrent = mapped(h, u[(..., slice(0, 2 * n), slice(None))])
    (r_x, z_x, n_x), (r_h, z_h) = parts(z, 3), parts(recurrent, 2)
    r, z = sigmoid(r_x + r_h), sigmoid(z_x + z_h)
    new = tanh(n_x + mapped(r * h, u[(..., slice(2 * n, None), slice(None))]))
    return (1 - z) * h + z * new, concatenate([r, z, new], -1)


@words.define
def chung_gru_cell(x: Any, h: Any, w_ih: Any, w_hh: Any, b: Any = None) -> Any:
    """One step of the documents' GRU: h' = (1 − z) ⊙ h + z ⊙ n, from elementary operations.

    Gates r, z = σ(W x + U h + b), candidate n = tanh(W x + U (r ⊙ h) + b), in the order r, z, n along the first
    axis of W (3h, in), U (3h, h), b (3h). Shapes: x (n, in), h (n, h). 003 §16.6, 004 (114)-(117).
    """
    return chung_gru_step(mapped(x, w_ih, b), h, w_hh)[0]


@fused
def chung_gru_(
    x: Any, h0: Any, w_ih: Any, w_hh: Any, b: Any, mask: Any = None, *, reverse: bool, out: Any = None
) -> Any:
    """States h (…, n, T, h), and r, z, n (…, n, T, 3h), of all steps.

    Where the mask is False the state passes unchanged.
    """
    np_ = xp(x)
    a, n = project(by_time(x, reverse), w_ih, b), h0.shape[-1]  # pre-activations that become r, z, n
    hs = np_.empty((*a.shape[:-1], n), a.dtype)
    held = None if mask is None else ~steps_of_mask(mask, reverse)
    u_gates, u_new, h = w_hh[..., : 2 * n, :], w_hh[..., 2 * n :, :], h0
    product = recurrent_out(w_hh, h0)
    for t in range(len(hs)):
        r, z, new = parts(a[t], 3)
        gates = a[t, ..., : 2 * n]
        gates += recurrent(u_gates, h, product[..., : 2 * n, :])
        squash(np_, gates)
        new += recurrent(u_new, r * h, product[..., 2 * n :, :])
        np_.tanh(new, out=new)
        np_.subtract(new, h, out=hs[t])  # h' = h + z (n − h)
        hs[t] *= z
        hs[t] += h
        if held is not None:
            np_.copyto(hs[t], h, where=held[t])
        h = hs[t]
    places = outs(out, 2)
    return tuple(by_example(v, reverse, o) for v, o in zip((hs, a), places, strict=True))


def _composed(x: Any, h: Any, w_ih: Any, w_hh: Any, b: Any, mask: Any = None, *, reverse: bool) -> tuple[Any, ...]:
    states, gates = [], []
    masks = mask_steps(mask, reverse, x.shape[-2])
    for x_t, m in zip(steps(x, reverse), masks, strict=True):
        new, a = chung_gru_step(mapped(x_t, w_ih, b), h, w_hh)
        h = kept(m, new, h)
        states.append(h)
        gates.append(a)
    return joined(states, reverse), joined(gates, reverse)


def _shapes(x: Any, h0: Any, w_ih: Any, w_hh: Any, b: Any, mask: Any = None, *, reverse: bool) -> list[tuple[int, ...]]:
    *front, n, length, features = x.shape
    size = h0.shape[-1]
    wanted = {
        "x": x.shape,
        "h0": (*front, n, size),
        "weight_ih": (*front, 3 * size, features),
        "weight_hh": (*front, 3 * size, size),
        "bias": (*front, 3 * size),
        "mask": (*front, n, length),
    }
    fitting("chung_gru", dict(zip(wanted, (x, h0, w_ih, w_hh, b, mask), strict=True)), wanted)
    return [(*front, n, length, size), (*front, n, length, 3 * size)]


@fused
def chung_gru_back(
    h_bar: Any, a_bar: Any, h: Any, a: Any, x: Any, h0: Any, w_hh: Any, mask: Any = None, *,
    reverse: bool, out: Any = None,
) -> Any:  # fmt: skip
    """δ of all steps, and the cotangents of h₀, the weights and the bias, from those of the results of `chung_gru`.

    With δⁿ = h̄ ⊙ z ⊙ (1 − n²) and q = δⁿ Uₙ, the cotangent of r ⊙ h₋:

        δ = (q ⊙ h₋ ⊙ r(1 − r), h̄ ⊙ (n − h₋) ⊙ z(1 − z), δⁿ)
        h̄₋ = h̄ ⊙ (1 − z) + q ⊙ r + (δʳ, δᶻ) U
    """
    np_ = xp(x)
    hs, acts, xs = (by_time(v, reverse) for v in (h, a, x))
    h_in, a_in = over_time(h_bar, reverse), over_time(a_bar, reverse)
    held = None if mask is None else ~steps_of_mask(mask, reverse)
    n = h0.shape[-1]
    u_gates, u_new = w_hh[..., : 2 * n, :], w_hh[..., 2 * n :, :]
    delta, earlier = np_.empty(acts.shape, acts.dtype), before(h0, hs)
    dh = np_.zeros(h0.shape, hs.dtype)
    for t in reversed(range(len(hs))):
        dh += 0 if h_in is None else h_in[t]
        passed = None if held is None else dh * held[t]
        if held is not None:
            dh *= ~held[t]
        (r, z, new), (dr, dz, dn) = parts(acts[t], 3), parts(delta[t], 3)
        r_in, z_in, n_in = (0, 0, 0) if a_in is None else parts(a_in[t], 3)
        np_.multiply(dh, z, out=dn)
        dn += n_in
        dn *= 1 - new * new
        q = dn @ u_new
        np_.multiply(q, earlier[t], out=dr)
        dr += r_in
        dr *= r - r * r
        np_.multiply(dh, new - earlier[t], out=dz)
        dz += z_in
        dz *= z - z * z
        dh *= 1 - z
        dh += q * r
        dh += delta[t, ..., : 2 * n] @ u_gates
        if passed is not None:
            dh += passed
    u_bar = (weight_bar(delta[..., : 2 * n], earlier), weight_bar(delta[..., 2 * n :], acts[..., :n] * earlier))
    weights = (weight_bar(delta, xs), np_.concatenate(u_bar, -2), bias_bar(delta))
    return into_each(out, (by_example(delta, reverse), dh, *weights))


def _composed_back(
    h_bar: Any, a_bar: Any, h: Any, a: Any, x: Any, h0: Any, w_hh: Any, mask: Any = None, *,
    reverse: bool,
) -> tuple[Any, ...]:  # fmt: skip
    hs, (h_in, a_in, acts) = [h0, *steps(h, reverse)], (steps(v, reverse) for v in (h_bar, a_bar, a))
    masks, size = mask_steps(mask, reverse, x.shape[-2]), h0.shape[-1]
    u_gates, u_new = (w_hh[(..., rows, slice(None))] for rows in (slice(0, 2 * size), slice(2 * size, None)))
    dh, of_gates, of_new, resets = 0 * h0, [], [], []
    for t in reversed(range(len(masks))):
        dh = dh + h_in[t]
        passed = kept(masks[t], 0 * dh, dh)
        dh = dh - passed
        (r, z, n), (r_in, z_in, n_in) = parts(acts[t], 3), parts(a_in[t], 3)
        of_new.insert(0, (dh * z + n_in) * (1 - n * n))
        q = words.matmul(of_new[0], u_new)
        dr = (q * hs[t] + r_in) * r * (1 - r)
        dz = (dh * (n - hs[t]) + z_in) * z * (1 - z)
        of_gates.insert(0, concatenate([dr, dz], -1))
        resets.insert(0, r * hs[t])
        dh = dh * (1 - z) + q * r + words.matmul(of_gates[0], u_gates) + passed
    deltas = [concatenate(pair, -1) for pair in zip(of_gates, of_new, strict=True)]
    u_bar = concatenate([weight_share(of_gates, hs[:-1]), weight_share(of_new, resets)], -2)
    return joined(deltas, reverse), dh, weight_share(deltas, steps(x, reverse)), u_bar, bias_share(deltas)


def _bars(needed: Any, bars: Any, ys: Any, *args: Any, reverse: bool) -> tuple[Any, ...]:
    x, h0, w_ih, w_hh, _, *mask = args
    delta, *rest = chung_gru_back(*bars, *ys, x, h0, w_hh, *mask, reverse=reverse)
    return input_bar(needed[0], delta, w_ih), *rest


def _shapes_back(
    h_bar: Any, a_bar: Any, h: Any, a: Any, x: Any, h0: Any, w_hh: Any, mask: Any = None, *, reverse: bool
) -> list[tuple[int, ...]]:
    rows = w_hh.shape[:-1]
    delta = (*h.shape[:-1], 3 * h.shape[-1])
    return [delta, h0.shape, (*rows, x.shape[-1]), w_hh.shape, rows]


chung_gru_.composed(_composed, arguments=5)
chung_gru_.backward(_bars)
chung_gru_.shape(_shapes)
chung_gru_.cost(product_cost(2, 3))
chung_gru_.workspace(lambda y, x, h0, *rest, **_: 3 * y[0].nbytes + max(x.nbytes, y[0].nbytes + 4 * h0.nbytes))
over_sequences(chung_gru_, weights=(2, 3, 4))
chung_gru_.formula(
    r"(r, z) = \sigma(W x_t + U h_{t-1} + b),\; n = \tanh(W x_t + U (r \odot h_{t-1}) + b),\; "
    r"h_t = (1 - z) \odot h_{t-1} + z \odot n",
    r"\bar x_t = W^\top \delta_t",
    r"\bar h_{t-1} = (1 - z) \odot \bar h_t + r \odot U_n^\top \delta^n_t + U_{rz}^\top \delta^{rz}_t",
    r"\bar W = \textstyle\sum_t \delta_t x_t^\top",
    r"\bar U = \textstyle\sum_t (\delta^{rz}_t h_{t-1}^\top, \delta^n_t (r \odot h_{t-1})^\top)",
    r"\bar b = \textstyle\sum_t \delta_t",
)
chung_gru_back.composed(_composed_back, arguments=7)
chung_gru_back.shape(_shapes_back)
chung_gru_back.cost(lambda y, h_bar, a_bar, h, a, x, *rest, reverse: 6.0 * h.size * (x.shape[-1] + 2 * h.shape[-1]))
chung_gru_back.workspace(lambda y, h_bar, a_bar, h, a, x, *rest, **_: 4 * h.nbytes + max(x.nbytes, 2 * h.nbytes))
leading(chung_gru_back)
chung_gru_back.formula(
    r"\delta_t = (\bar r \odot r (1 - r), \bar z \odot z (1 - z), \bar n \odot (1 - n^2))",
    *[rf"\bar{{\bar {v}}} = \partial \langle \delta, \cdot \rangle / \partial {v}" for v in
      (r"\bar h", r"\bar a", "h", "a", "x", "h_0", "U")],
)  # fmt: skip
