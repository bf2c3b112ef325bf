"""Long short-term memory in PyTorch; see `chainrule.ops.lstm`.

On a GPU, where a step of a plain sequence takes as long as its kernels are many, the gates are PyTorch's fused cell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from chainrule.backends.interface import into_each
from chainrule.backends.torch_sequences import (
    add_product,
    before,
    blocks,
    columns,
    given,
    held_steps,
    in_order,
    is_nothing,
    keep,
    of_columns,
    project,
    room,
    scale,
    shown,
    side_by_side,
    stretches,
    weight_bar,
)


def lstm(
    x: Any, h0: Any, c0: Any, w_ih: Any, w_hh: Any, b: Any, mask: Any = None, *, reverse: bool, out: Any = None
) -> tuple[Any, ...]:
    """States, cells and gates of all steps."""
    z = project(x, w_ih, b)  # becomes the gates
    i, f, g, o = blocks(z, 4)
    both, hs, cs = z[..., : 2 * i.shape[-2], :], z.new_empty(i.shape), z.new_empty(i.shape)
    h, c = h0.mT, c0.mT
    for z_t, both_t, i_t, f_t, g_t, o_t, h_t, c_t, held in in_order(
        reverse, z, both, i, f, g, o, hs, cs, held_steps(mask)
    ):
        add_product(z_t, w_hh, h)
        both_t.sigmoid_()
        g_t.tanh_()
        o_t.sigmoid_()
        torch.mul(f_t, c, out=c_t).addcmul_(i_t, g_t)
        torch.tanh(c_t, out=h_t).mul_(o_t)
        keep(held, h_t, h)
        keep(held, c_t, c)
        h, c = h_t, c_t
    return into_each(out, (of_columns(hs), of_columns(cs), of_columns(z)))


def lstm_back(
    h_bar: Any, c_bar: Any, gates_bar: Any, h: Any, c: Any, gates: Any, x: Any, h0: Any, c0: Any,
    w_hh: Any, mask: Any = None, *, reverse: bool, out: Any = None,
) -> tuple[Any, ...]:  # fmt: skip
    """δ of all steps, and the cotangents of h₀, c₀, the weights and the bias.

    With c̄ ← c̄ + h̄ ⊙ p, the parts of δ are (c̄, c̄, c̄, h̄) ⊙ s + extra, where the extra comes from that of the gates.
    """
    hs, cs, a, held = columns(h), columns(c), columns(gates), held_steps(mask)
    earlier, arriving, a_bar = before(c0, cs, reverse), given(c_bar), given(gates_bar)
    ut, (dhs, dhs_before, h0_bar), dc = w_hh.mT.contiguous(), room(h_bar, reverse), torch.zeros_like(c0.mT)
    delta = a.new_empty((*a.shape[:-2], 4, *cs.shape[-2:]))
    for part in stretches(len(cs), not reverse):
        s, held_part = delta[part], None if held is None else held[part]
        given_part = None if a_bar is None else a_bar[part]
        through, forget, extra = _factors(s, a[part], cs[part], earlier[part], given_part, held_part)
        extra_c, extra_h = (None, None) if extra is None else (extra[..., :3, :, :], extra[..., 3, :, :])
        for delta_t, by_c, by_h, into_c, out_c, dh, dh_before, arrives, add_c, add_h, held_t in in_order(
            not reverse, s.flatten(-3, -2), s[..., :3, :, :], s[..., 3, :, :], through, forget, dhs[part],
            dhs_before[part], None if arriving is None else arriving[part], extra_c, extra_h, held_part,
        ):  # fmt: skip
            dc = torch.addcmul(dc if arrives is None else dc + arrives, dh, into_c)
            scale(by_c, dc.unsqueeze(-3), add_c)
            scale(by_h, dh, add_h)
            add_product(dh_before, ut, delta_t)
            dc *= out_c
            if held_t is not None:
                dh_before.addcmul_(dh, held_t)
    rows = side_by_side(delta.flatten(-3, -2))
    weights = weight_bar(rows, columns(x)), weight_bar(rows, before(h0, hs, reverse)), rows.sum(-1)
    return into_each(out, (shown(rows, len(hs)), h0_bar, dc.mT, *weights))


def _factors(s: Any, a: Any, cs: Any, earlier: Any, a_bar: Any, held: Any) -> tuple[Any, ...]:
    """Fills s (T, …, 4, h, n); p = o ⊙ (1 − tanh² c), what c̄ is multiplied with on its way back, and the extra of δ."""
    (i, f, g, o), squashed = blocks(a, 4), torch.tanh(cs)
    slopes = i - i * i, f - f * f, 1 - g * g, o - o * o
    torch.stack([slope * v for slope, v in zip(slopes, (g, earlier, i, squashed), strict=True)], -3, out=s)
    extra = None if a_bar is None else torch.stack(slopes, -3) * a_bar.unflatten(-2, (4, -1))
    p = o - o * squashed * squashed
    if held is not None:
        s.masked_fill_(held.unsqueeze(-3), 0)
        p, f = p.masked_fill(held, 0), f.masked_fill(held, 1)
    return p, f, extra


# On a GPU.

Kernel = Callable[..., Any]


def _is_plain(x: Any, mask: Any) -> bool:
    """Whether the fused cell serves: a batch of sequences on a GPU, none of them masked."""
    return x.is_cuda and x.ndim == 3 and mask is None and x.numel() > 0


def by_cells(generic: Kernel) -> Kernel:
    """States, cells and gates of all steps: a product and the fused cell a step."""

    def kernel(x: Any, h0: Any, c0: Any, w_ih: Any, w_hh: Any, b: Any, mask: Any = None, *, reverse: bool,
               out: Any = None) -> tuple[Any, ...]:  # fmt: skip
        if not _is_plain(x, mask) or w_ih.ndim != 2:
            return generic(x, h0, c0, w_ih, w_hh, b, *([] if mask is None else [mask]), reverse=reverse, out=out)
        z = torch.addmm(b, x.transpose(0, 1).reshape(-1, x.shape[-1]), w_ih.T).unflatten(0, (x.shape[1], -1))
        ut, h, c, rows = w_hh.T, h0, c0, []
        for z_t in z.unbind(0)[:: -1 if reverse else 1]:
            h, c, gates = torch.ops.aten._thnn_fused_lstm_cell(z_t, torch.mm(h, ut), c)
            rows.append((h, c, gates))
        together = [torch.stack(v, 1) for v in zip(*rows[:: -1 if reverse else 1], strict=True)]
        return into_each(out, tuple(together))

    return kernel


def back_by_cells(generic: Kernel) -> Kernel:
    """δ of all steps and the cotangents: the derivative of the fused cell and a product a step."""

    def kernel(h_bar: Any, c_bar: Any, gates_bar: Any, h: Any, c: Any, gates: Any, x: Any, h0: Any, c0: Any,
               w_hh: Any, mask: Any = None, *, reverse: bool, out: Any = None) -> tuple[Any, ...]:  # fmt: skip
        if not _is_plain(x, mask) or w_hh.ndim != 2 or not is_nothing(gates_bar):
            given = (h_bar, c_bar, gates_bar, h, c, gates, x, h0, c0, w_hh, *([] if mask is None else [mask]))
            return generic(*given, reverse=reverse, out=out)
        arriving = None if is_nothing(c_bar) else c_bar
        order = range(x.shape[1])[:: 1 if reverse else -1]
        starts = [(h0, c0) if t == order[-1] else (h[:, t + (1 if reverse else -1)], c[:, t + (1 if reverse else -1)])
                  for t in order]  # fmt: skip
        dh, dc, deltas = h_bar[:, order[0]], torch.zeros_like(c0), []
        for k, t in enumerate(order):
            if k:
                dh = torch.addmm(h_bar[:, t], deltas[-1], w_hh)
            dc = dc if arriving is None else dc + arriving[:, t]
            back = torch.ops.aten._thnn_fused_lstm_cell_backward_impl
            delta, dc, _ = back(dh, dc, starts[k][1], c[:, t], gates[:, t], False)
            deltas.append(delta)
        delta = torch.stack(deltas[:: 1 if reverse else -1], 1)
        rows, n = delta.flatten(0, 1), x.shape[1]
        before = torch.cat([h[:, 1:], h0[:, None]] if reverse else [h0[:, None], h[:, : n - 1]], 1)
        weights = rows.T @ x.reshape(-1, x.shape[-1]), rows.T @ before.flatten(0, 1), rows.sum(0)
        return into_each(out, (delta, torch.mm(deltas[-1], w_hh), dc, *weights))

    return kernel


VENDOR = {"lstm": by_cells, "lstm_back": back_by_cells}
