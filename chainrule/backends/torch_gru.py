"""Both gated recurrent units in PyTorch; see `chainrule.ops.gru` and `chainrule.ops.chung_gru`."""

from __future__ import annotations

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
    keep,
    of_columns,
    project,
    room,
    scale,
    shown,
    side_by_side,
    weight_bar,
)


def gru(
    x: Any, h0: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, mask: Any = None, *, reverse: bool, out: Any = None
) -> tuple[Any, ...]:
    """States, and r, z, n and m side by side, of all steps."""
    h, n = h0.mT, h0.shape[-1]
    z_x, (u, u_new) = project(x, w_ih, b_ih), w_hh.split((2 * n, n), -2)
    a = torch.cat([z_x, torch.zeros_like(z_x[..., :n, :])], -2)
    (r, z, new, m), both, hs = blocks(a, 4), a[..., : 2 * n, :], torch.empty_like(z_x[..., :n, :])
    both += b_hh[..., : 2 * n, None]
    m += b_hh[..., 2 * n :, None]
    for both_t, r_t, z_t, new_t, m_t, h_t, held in in_order(reverse, both, r, z, new, m, hs, held_steps(mask)):
        add_product(both_t, u, h).sigmoid_()
        add_product(m_t, u_new, h)
        new_t.addcmul_(r_t, m_t).tanh_()
        torch.sub(h, new_t, out=h_t).mul_(z_t).add_(new_t)  # h' = n + z (h − n)
        keep(held, h_t, h)
        h = h_t
    return into_each(out, (of_columns(hs), of_columns(a)))


def gru_back(
    h_bar: Any, a_bar: Any, h: Any, a: Any, x: Any, h0: Any, w_hh: Any, mask: Any = None, *,
    reverse: bool, out: Any = None,
) -> tuple[Any, ...]:  # fmt: skip
    """δˣ of all steps, and the cotangents of h₀, the weights and both biases.

    (ν, δᶻ) = h̄ ⊙ s + extra and (δʳ, δᵐ) = ν ⊙ s' + extra', where the extra comes from the cotangents of r, z, n, m.
    """
    acts, hs = columns(a), columns(h)
    earlier = before(h0, hs, reverse)
    delta, keeps, extra = _gru_factors(acts, earlier, given(a_bar), held_steps(mask))
    extra_h, extra_new = (None, None) if extra is None else (extra[..., :2, :, :], extra[..., 2:, :, :])
    r, z, new = blocks(w_hh, 3)
    ut, (dhs, dhs_before, h0_bar) = torch.cat([z.mT, r.mT, new.mT], -1), room(h_bar, reverse)
    for by_h, new_t, by_new, back, keeps_t, dh, dh_before, add_h, add_new in in_order(
        not reverse, delta[..., :2, :, :], delta[..., :1, :, :], delta[..., 2:, :, :],
        delta[..., 1:, :, :].flatten(-3, -2), keeps, dhs, dhs_before, extra_h, extra_new,
    ):  # fmt: skip
        scale(by_h, dh.unsqueeze(-3), add_h)
        scale(by_new, new_t, add_new)
        add_product(dh_before.addcmul_(dh, keeps_t), ut, back)
    new, z, r, m = delta.unbind(-3)
    from_x, from_h = (side_by_side(torch.cat([r, z, last], -2)) for last in (new, m))
    weights = weight_bar(from_x, columns(x)), weight_bar(from_h, earlier), from_x.sum(-1), from_h.sum(-1)
    return into_each(out, (shown(from_x, len(hs)), h0_bar, *weights))


def _gru_factors(a: Any, earlier: Any, a_bar: Any, held: Any) -> tuple[Any, Any, Any]:
    """(s, s') for ν, δᶻ, δʳ, δᵐ (T, …, 4, h, n), what h̄ is multiplied with on its way back, and the extra of δ."""
    r, z, new, m = blocks(a, 4)
    slope_r, slope_z, slope_new = r - r * r, z - z * z, 1 - new * new
    by_h = torch.stack([(1 - z) * slope_new, (earlier - new) * slope_z], -3)
    extra = None
    if a_bar is not None:
        r_bar, z_bar, new_bar, m_bar = blocks(a_bar, 4)
        extra = torch.stack([new_bar * slope_new, z_bar * slope_z, r_bar * slope_r, m_bar], -3)
    if held is not None:
        by_h, z = by_h.masked_fill(held.unsqueeze(-3), 0), z.masked_fill(held, 1)
    return torch.cat([by_h, torch.stack([m * slope_r, r], -3)], -3), z, extra


def chung_gru(
    x: Any, h0: Any, w_ih: Any, w_hh: Any, b: Any, mask: Any = None, *, reverse: bool, out: Any = None
) -> tuple[Any, ...]:
    """States, and r, z, n side by side, of all steps."""
    h, n = h0.mT, h0.shape[-1]
    a, (u, u_new) = project(x, w_ih, b), w_hh.split((2 * n, n), -2)
    (r, z, new), both = blocks(a, 3), a[..., : 2 * n, :]
    hs = torch.empty_like(r)
    for both_t, r_t, z_t, new_t, h_t, held in in_order(reverse, both, r, z, new, hs, held_steps(mask)):
        add_product(both_t, u, h).sigmoid_()
        add_product(new_t, u_new, r_t * h).tanh_()
        torch.sub(new_t, h, out=h_t).mul_(z_t).add_(h)  # h' = h + z (n − h)
        keep(held, h_t, h)
        h = h_t
    return into_each(out, (of_columns(hs), of_columns(a)))


def chung_gru_back(
    h_bar: Any, a_bar: Any, h: Any, a: Any, x: Any, h0: Any, w_hh: Any, mask: Any = None, *,
    reverse: bool, out: Any = None,
) -> tuple[Any, ...]:  # fmt: skip
    """δ of all steps, and the cotangents of h₀, the weights and the bias.

    (δᶻ, δⁿ) = h̄ ⊙ s + extra and δʳ = Uₙᵀ δⁿ ⊙ s' + extra', where the extra comes from the cotangents of r, z, n.
    """
    acts, hs, n = columns(a), columns(h), h0.shape[-1]
    earlier, r = before(h0, hs, reverse), blocks(acts, 3)[0]
    delta, keeps, extra = _chung_factors(acts, earlier, given(a_bar), held_steps(mask))
    extra_r, extra_h = (None, None) if extra is None else (extra[..., 0, :, :], extra[..., 1:, :, :])
    u, u_new = (v.mT.contiguous() for v in w_hh.split((2 * n, n), -2))
    dhs, dhs_before, h0_bar = room(h_bar, reverse)
    for by_r, by_h, new, both, r_t, keeps_t, dh, dh_before, add_r, add_h in in_order(
        not reverse, delta[..., 0, :, :], delta[..., 1:, :, :], delta[..., 2, :, :],
        delta[..., :2, :, :].flatten(-3, -2), r, keeps, dhs, dhs_before, extra_r, extra_h,
    ):  # fmt: skip
        scale(by_h, dh.unsqueeze(-3), add_h)
        q = torch.matmul(u_new, new)
        scale(by_r, q, add_r)
        add_product(dh_before.addcmul_(dh, keeps_t).addcmul_(q, r_t), u, both)
    rows = side_by_side(delta.flatten(-3, -2))
    of_gates, of_new = weight_bar(rows[..., : 2 * n, :], earlier), weight_bar(rows[..., 2 * n :, :], r * earlier)
    weights = weight_bar(rows, columns(x)), torch.cat([of_gates, of_new], -2), rows.sum(-1)
    return into_each(out, (shown(rows, len(hs)), h0_bar, *weights))


def _chung_factors(a: Any, earlier: Any, a_bar: Any, held: Any) -> tuple[Any, Any, Any]:
    """(s', s) for δʳ, δᶻ, δⁿ (T, …, 3, h, n), what h̄ is multiplied with on its way back, and the extra of δ."""
    r, z, new = blocks(a, 3)
    slopes = r - r * r, z - z * z, 1 - new * new
    by_r, *by_h = (slope * v for slope, v in zip(slopes, (earlier, new - earlier, z), strict=True))
    extra = None if a_bar is None else torch.stack(slopes, -3) * a_bar.unflatten(-2, (3, -1))
    by_h, keeps = torch.stack(by_h, -3), 1 - z
    if held is not None:
        by_h, keeps = by_h.masked_fill(held.unsqueeze(-3), 0), keeps.masked_fill(held, 1)
    return torch.cat([by_r.unsqueeze(-3), by_h], -3), keeps, extra
