"""Long short-term memory over a whole sequence, with its backpropagation through time, each in one kernel."""

from __future__ import annotations

from typing import Any

from chainrule.backends import into_each, xp
from chainrule.core.batch import leading
from chainrule.core.fused import fused
from chainrule.core.vocabulary import words
from chainrule.ops.activations import sigmoid
from chainrule.ops.elementary import tanh
from chainrule.ops.operands import is_nothing
from chainrule.ops.sequences import (
    before,
    bias_share,
    blocks,
    columns,
    fitting,
    input_bar,
    joined,
    kept,
    mapped,
    mask_steps,
    of_columns,
    outs,
    over_sequences,
    parts,
    product_cost,
    side_by_side,
    steps,
    steps_of_mask,
    weight_share,
)
from chainrule.ops.shapes import concatenate

# One step.


def lstm_step(z: Any, c: Any) -> tuple[Any, Any, Any]:
    """State h, cell c and gates (i, f, g, o side by side) from the pre-activations z of the gates."""
    i, f, g, o = parts(z, 4)
    i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
    c = f * c + i * g
    return o * tanh(c), c, concatenate([i, f, g, o], -1)


@words.define
def lstm_cell(x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b: Any = None) -> tuple[Any, Any]:
    """One step of an LSTM: h' = o ⊙ tanh c', c' = f ⊙ c + i ⊙ g, from elementary operations.

    Gates i, f, o = σ(W x + U h + b), candidate g = tanh(W x + U h + b), in PyTorch's order i, f, g, o along the
    first axis of W (4h, in), U (4h, h), b (4h). Shapes: x (n, in), h and c (n, h). 000 (16.6)-(16.11).
    """
    h, c, _ = lstm_step(mapped(x, w_ih, b) + mapped(h, w_hh), c)
    return h, c


# The whole sequence.


@fused
def lstm_(
    x: Any, h0: Any, c0: Any, w_ih: Any, w_hh: Any, b: Any, mask: Any = None, *, reverse: bool, out: Any = None
) -> Any:
    """States h, cells c (…, n, T, h) and gates i, f, g, o (…, n, T, 4h) of all steps.

    σ(z) is taken as (1 + tanh(z/2))/2, so that one call serves the gates and nothing overflows. Where the mask
    is False the state passes unchanged. Inside, a step is (…, features, n): a gate is one block of memory then.
    """
    np_ = xp(x)
    z = np_.matmul(w_ih, columns(x, reverse))  # (T, …, 4h, n), becomes the gates
    z += b[..., None]
    h, c = np_.swapaxes(h0, -1, -2), np_.swapaxes(c0, -1, -2)
    i, f, g, o = blocks(z, 4)
    hs, cs = np_.empty(i.shape, z.dtype), np_.empty(i.shape, z.dtype)
    held = None if mask is None else np_.swapaxes(~steps_of_mask(mask, reverse), -1, -2)
    product, part = np_.empty(z.shape[1:], z.dtype), np_.empty(i.shape[1:], z.dtype)
    for t in range(len(z)):
        z[t] += np_.matmul(w_hh, h, out=product)
        _activate(np_, z[t])
        np_.multiply(f[t], c, out=cs[t])
        cs[t] += np_.multiply(i[t], g[t], out=part)
        np_.multiply(o[t], np_.tanh(cs[t], out=hs[t]), out=hs[t])
        if held is not None:
            np_.copyto(hs[t], h, where=held[t])
            np_.copyto(cs[t], c, where=held[t])
        h, c = hs[t], cs[t]
    places = outs(out, 3)
    return tuple(of_columns(v, reverse, place) for v, place in zip((hs, cs, z), places, strict=True))


def _activate(np_: Any, z: Any) -> None:
    """σ of the gates and tanh of the candidate, in place."""
    n = z.shape[-2] // 4
    gates = (z[..., : 2 * n, :], z[..., 3 * n :, :])
    for part in gates:
        part *= 0.5
    np_.tanh(z, out=z)
    for part in gates:
        part += 1
        part *= 0.5


def _composed(
    x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b: Any, mask: Any = None, *, reverse: bool
) -> tuple[Any, ...]:
    rows: list[tuple[Any, ...]] = []
    masks = mask_steps(mask, reverse, x.shape[-2])
    for x_t, m in zip(steps(x, reverse), masks, strict=True):
        new_h, new_c, gates = lstm_step(mapped(x_t, w_ih, b) + mapped(h, w_hh), c)
        h, c = kept(m, new_h, h), kept(m, new_c, c)
        rows.append((h, c, gates))
    return tuple(joined(list(column), reverse) for column in zip(*rows, strict=True))


def _shapes(
    x: Any, h0: Any, c0: Any, w_ih: Any, w_hh: Any, b: Any, mask: Any = None, *, reverse: bool
) -> list[tuple[int, ...]]:
    *front, n, length, features = x.shape
    size = h0.shape[-1]
    given = {"x": x, "h0": h0, "c0": c0, "weight_ih": w_ih, "weight_hh": w_hh, "bias": b, "mask": mask}
    wanted = {
        "x": x.shape,
        "h0": (*front, n, size),
        "c0": (*front, n, size),
        "weight_ih": (*front, 4 * size, features),
        "weight_hh": (*front, 4 * size, size),
        "bias": (*front, 4 * size),
        "mask": (*front, n, length),
    }
    fitting("lstm", given, wanted)
    return [(*front, n, length, k) for k in (size, size, 4 * size)]


# Its backpropagation through time.


@fused
def lstm_back(
    h_bar: Any, c_bar: Any, gates_bar: Any, h: Any, c: Any, gates: Any, x: Any, h0: Any, c0: Any,
    w_hh: Any, mask: Any = None, *, reverse: bool, out: Any = None,
) -> Any:  # fmt: skip
    """δ = dL/dz of all steps, and the cotangents of h₀, c₀, the weights and the bias, from those of `lstm`'s results.

    Backwards in time, with h̄, c̄ the cotangents that arrive at step t from outside and from step t + 1:

        c̄ ← c̄ + h̄ ⊙ o ⊙ (1 − tanh² c)                                  000 (21.18)
        δ = (c̄ ⊙ g ⊙ i(1 − i), c̄ ⊙ c₋ ⊙ f(1 − f), c̄ ⊙ i ⊙ (1 − g²), h̄ ⊙ tanh c ⊙ o(1 − o))
        h̄₋ = δ U,  c̄₋ = c̄ ⊙ f

    The weights' cotangents are one product over all steps: W̄ = Σ δᵀ x, Ū = Σ δᵀ h₋, b̄ = Σ δ.
    """
    np_ = xp(x)
    cs, a = columns(c, reverse), columns(gates, reverse)
    h_in, c_in, a_in = (None if is_nothing(v) else columns(v, reverse) for v in (h_bar, c_bar, gates_bar))
    held = None if mask is None else np_.swapaxes(~steps_of_mask(mask, reverse), -1, -2)
    delta, slope = np_.empty(a.shape[1:], a.dtype), np_.empty(a.shape[1:], a.dtype)
    deltas = np_.empty((*a.shape[1:-1], len(a), a.shape[-1]), a.dtype)  # (…, 4h, T, n)
    dh, dc = np_.zeros(cs.shape[1:], a.dtype), np_.zeros(cs.shape[1:], a.dtype)
    u, first, squashed = np_.ascontiguousarray(np_.swapaxes(w_hh, -1, -2)), np_.swapaxes(c0, -1, -2), np_.tanh(cs)
    for t in reversed(range(len(a))):
        dh += 0 if h_in is None else h_in[t]
        dc += 0 if c_in is None else c_in[t]
        passed = None if held is None else (dh * held[t], dc * held[t])
        if held is not None:
            dh *= ~held[t]
            dc *= ~held[t]
        _step_back(np_, dh, dc, a[t], squashed[t], cs[t - 1] if t else first, delta, slope)
        if a_in is not None:
            delta += slope * a_in[t]
        np_.matmul(u, delta, out=dh)
        deltas[..., t, :] = delta
        if passed is not None:
            dh += passed[0]
            dc += passed[1]
    rows = deltas.reshape(*deltas.shape[:-2], -1)  # (…, 4h, T·n)
    earlier = before(np_.swapaxes(h0, -1, -2), columns(h, reverse))
    weights = (rows @ side_by_side(columns(x, reverse)), rows @ side_by_side(earlier), rows.sum(-1))
    shown = of_columns(np_.moveaxis(deltas, -2, 0), reverse)
    return into_each(out, (shown, np_.swapaxes(dh, -1, -2), np_.swapaxes(dc, -1, -2), *weights))


def _step_back(np_: Any, dh: Any, dc: Any, a: Any, squashed: Any, c: Any, delta: Any, slope: Any) -> None:
    """One step: fills δ and the slopes of the gates, and turns c̄ into that of the step before, in place."""
    (i, f, g, o), (di, df, dg, do), n = blocks(a, 4), blocks(delta, 4), dh.shape[-2]
    np_.multiply(squashed, squashed, out=do)
    np_.subtract(1, do, out=do)
    do *= o
    do *= dh
    dc += do
    np_.multiply(dc, g, out=di)
    np_.multiply(dc, c, out=df)
    np_.multiply(dc, i, out=dg)
    np_.multiply(dh, squashed, out=do)
    dc *= f
    np_.multiply(a, a, out=slope)
    gates, candidate, output = slope[..., : 2 * n, :], slope[..., 2 * n : 3 * n, :], slope[..., 3 * n :, :]
    np_.subtract(a[..., : 2 * n, :], gates, out=gates)
    np_.subtract(1, candidate, out=candidate)
    np_.subtract(o, output, out=output)
    delta *= slope


def _composed_back(
    h_bar: Any, c_bar: Any, gates_bar: Any, h: Any, c: Any, gates: Any, x: Any, h0: Any, c0: Any,
    w_hh: Any, mask: Any = None, *, reverse: bool,
) -> tuple[Any, ...]:  # fmt: skip
    hs, cs = ([v0, *steps(v, reverse)] for v0, v in ((h0, h), (c0, c)))
    arriving = [steps(v, reverse) for v in (h_bar, c_bar, gates_bar, gates)]
    masks = mask_steps(mask, reverse, x.shape[-2])
    dh, dc, deltas = 0 * h0, 0 * c0, []
    for t in reversed(range(len(masks))):
        h_in, c_in, a_in, a = (v[t] for v in arriving)
        dh, dc = dh + h_in, dc + c_in
        passed = kept(masks[t], 0 * dh, dh), kept(masks[t], 0 * dc, dc)
        dh, dc = dh - passed[0], dc - passed[1]
        i, f, g, o = parts(a, 4)
        squashed = tanh(cs[t + 1])
        dc = dc + dh * o * (1 - squashed * squashed)
        inner = concatenate([dc * g, dc * cs[t], dc * i, dh * squashed], -1)
        delta = (inner + a_in) * concatenate([i * (1 - i), f * (1 - f), 1 - g * g, o * (1 - o)], -1)
        deltas.insert(0, delta)
        dh, dc = words.matmul(delta, w_hh) + passed[0], dc * f + passed[1]
    weights = weight_share(deltas, steps(x, reverse)), weight_share(deltas, hs[:-1]), bias_share(deltas)
    return joined(deltas, reverse), dh, dc, *weights


def _shapes_back(
    h_bar: Any, c_bar: Any, gates_bar: Any, h: Any, c: Any, gates: Any, x: Any, h0: Any, c0: Any,
    w_hh: Any, mask: Any = None, *, reverse: bool,
) -> list[tuple[int, ...]]:  # fmt: skip
    return [v.shape for v in (gates, h0, c0)] + [(*w_hh.shape[:-1], x.shape[-1]), w_hh.shape, w_hh.shape[:-1]]


def _workspace_back(
    y: Any, h_bar: Any, c_bar: Any, gates_bar: Any, h: Any, c: Any, gates: Any, x: Any, h0: Any, *rest: Any, **_: Any
) -> int:
    """δ, tanh c and the earlier states of all steps, x once more for its product; ten blocks of one step."""
    return gates.nbytes + 2 * h.nbytes + max(x.nbytes, h.nbytes) + 10 * h0.nbytes


def _bars(needed: Any, y_bars: Any, ys: Any, *args: Any, reverse: bool) -> tuple[Any, ...]:
    x, h0, c0, w_ih, w_hh, _, *mask = args
    delta, h0_bar, c0_bar, *weights = lstm_back(*y_bars, *ys, x, h0, c0, w_hh, *mask, reverse=reverse)
    return input_bar(needed[0], delta, w_ih), h0_bar, c0_bar, *weights


lstm_.composed(_composed, arguments=6)
lstm_.backward(_bars)
lstm_.shape(_shapes)
lstm_.cost(product_cost(3, 4))
lstm_.workspace(lambda y, x, h0, *rest, **_: sum(v.nbytes for v in y) + 5 * h0.nbytes)
over_sequences(lstm_, weights=(3, 4, 5))
lstm_.formula(
    r"(i, f, o) = \sigma(W x_t + U h_{t-1} + b),\; g = \tanh(W x_t + U h_{t-1} + b),\; "
    r"c_t = f \odot c_{t-1} + i \odot g,\; h_t = o \odot \tanh c_t",
    r"\bar x_t = W^\top \delta_t,\; \bar h_{t-1} = U^\top \delta_t",
    r"\bar h_0 = U^\top \delta_1",
    r"\bar c_{t-1} = \bar c_t \odot f_t,\; \bar c_t \mathrel{+}= \bar h_t \odot o_t \odot (1 - \tanh^2 c_t)",
    r"\bar W = \textstyle\sum_t \delta_t x_t^\top",
    r"\bar U = \textstyle\sum_t \delta_t h_{t-1}^\top",
    r"\bar b = \textstyle\sum_t \delta_t",
)
lstm_back.composed(_composed_back, arguments=10)
lstm_back.shape(_shapes_back)
lstm_back.cost(lambda y, *specs, reverse: 2.0 * specs[5].size * (specs[6].shape[-1] + 2 * specs[9].shape[-1]))
lstm_back.workspace(_workspace_back)
leading(lstm_back)
lstm_back.formula(
    r"\delta_t = (\bar c \odot g, \bar c \odot c_{t-1}, \bar c \odot i, \bar h \odot \tanh c) \odot \sigma'",
    *[
        rf"\bar{{\bar {v}}} = \partial \langle \delta, \cdot \rangle / \partial {v}"
        for v in (r"\bar h", r"\bar c", r"\bar a", "h", "c", "a", "x", "h_0", "c_0", "U")
    ],
)
