"""What the fused recurrences share: time in front, one product for all steps, masks, shapes, batching.

Their arrays are batch first, x (…, n, T, in), and may have any axes in front, which all arguments share. Kernels
go through views with time in front, (T, …, n, features); the first step computed comes first, also where a
sequence is read from its end (`reverse`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from chainrule.backends import into, xp
from chainrule.base.errors import ShapeError
from chainrule.core.batch import in_front
from chainrule.core.primitive import Primitive
from chainrule.core.vocabulary import words
from chainrule.ops.operands import is_nothing
from chainrule.ops.shapes import concatenate, expand_dims, matrix_transpose, reshape, stack
from chainrule.ops.unstacking import unstack

Array = Any

# Parts of kernels.


def by_time(x: Array, reverse: bool) -> Array:
    """A view (T, …, n, k) of (…, n, T, k), the step to be computed first in front."""
    np_ = xp(x)
    y = np_.moveaxis(x, -2, 0)
    return np_.flip(y, 0) if reverse else y


def by_example(y: Array, reverse: bool, out: Array = None) -> Array:
    """A view (…, n, T, k) of (T, …, n, k), in the order of the input again; copied where there is an `out`."""
    np_ = xp(y)
    return into(out, np_.moveaxis(np_.flip(y, 0) if reverse else y, 0, -2))


def columns(x: Array, reverse: bool) -> Array:
    """A view (T, …, k, n) of (…, n, T, k): a step with features as rows, examples as columns."""
    return xp(x).swapaxes(by_time(x, reverse), -1, -2)


def of_columns(y: Array, reverse: bool, out: Array = None) -> Array:
    """A view (…, n, T, k) of (T, …, k, n), in the order of the input again; copied where there is an `out`."""
    return by_example(xp(y).swapaxes(y, -1, -2), reverse, out)


def blocks(x: Array, n: int) -> list[Array]:
    """(…, n·h, m) as n views of (…, h, m), one above the other."""
    h = x.shape[-2] // n
    return [x[..., k * h : (k + 1) * h, :] for k in range(n)]


def side_by_side(v: Array) -> Array:
    """(T, …, k, n) as the transpose (…, T·n, k) of all steps side by side."""
    wide = xp(v).moveaxis(v, 0, -2)  # (…, k, T, n)
    return xp(v).swapaxes(wide.reshape(*wide.shape[:-2], wide.shape[-2] * wide.shape[-1]), -1, -2)


def steps_of_mask(mask: Array, reverse: bool) -> Array:
    """A view (T, …, n, 1) of a mask (…, n, T)."""
    return by_time(mask[..., None], reverse)


def project(x: Array, w: Array, b: Array) -> Array:
    """x wᵀ + b for all steps in one product. Shapes: x (T, …, n, in), w (…, k, in), result (T, …, n, k)."""
    if w.ndim == 2:
        z = (x.reshape(-1, x.shape[-1]) @ w.T).reshape(*x.shape[:-1], w.shape[0])
    else:
        z = x @ xp(w).swapaxes(w, -1, -2)
    z += b[..., None, :]
    return z


def recurrent(u: Array, h: Array, out: Array) -> Array:
    """h uᵀ of one step as (u hᵀ)ᵀ, with `out` (…, k, n) for u hᵀ.

    That way round a small batch is the narrow side of the product, which BLAS takes several times faster.
    """
    np_ = xp(h)
    return np_.swapaxes(np_.matmul(u, np_.swapaxes(h, -1, -2), out=out), -1, -2)


def recurrent_out(u: Array, h: Array) -> Array:
    """The `out` of `recurrent`. Shapes: u (…, k, h), state h (…, n, h), result (…, k, n)."""
    return xp(h).empty_like(h, shape=(*u.shape[:-1], h.shape[-2]))


def weight_bar(delta: Array, v: Array) -> Array:
    """Σₜₙ δ vᵀ in one product. Shapes: δ (T, …, n, k), v (T, …, n, m), result (…, k, m)."""
    return xp(v).swapaxes(_rows(delta), -1, -2) @ _rows(v)


def _rows(v: Array) -> Array:
    """(T, …, n, k) as (…, T·n, k)."""
    if v.ndim == 3:
        return v.reshape(-1, v.shape[-1])
    moved = xp(v).moveaxis(v, 0, -3)
    return moved.reshape(*moved.shape[:-3], moved.shape[-3] * moved.shape[-2], moved.shape[-1])


def bias_bar(delta: Array) -> Array:
    """Σₜₙ δ. Shapes: δ (T, …, n, k), result (…, k)."""
    return delta.sum(axis=(0, -2))


def before(first: Array, later: Array) -> Array:
    """The states that the steps started from: (h₀, h₁, …, h_{T−1})."""
    return xp(later).concatenate([first[None], later[:-1]])


def over_time(x: Any, reverse: bool) -> Any:
    """The steps of a cotangent, or None where it is nothing."""
    return None if is_nothing(x) else by_time(x, reverse)


def parts(x: Any, n: int) -> list[Any]:
    """(…, n·h) as n parts of (…, h), side by side: views of an array, nodes of a tensor."""
    h = x.shape[-1] // n
    return [x[(..., slice(k * h, (k + 1) * h))] for k in range(n)]


def squash(np_: Any, z: Array) -> Array:
    """σ(z) = (1 + tanh(z/2))/2, in place where arrays can be written to: nothing overflows."""
    z *= 0.5
    z = np_.tanh(z, out=z)
    z += 1
    z *= 0.5
    return z


def activate(np_: Any, z: Array, nonlinearity: str) -> Array:
    """φ(z), in place where arrays can be written to: tanh or ReLU."""
    return np_.tanh(z, out=z) if nonlinearity == "tanh" else np_.maximum(z, 0, out=z)


def slope(np_: Any, a: Array, nonlinearity: str) -> Array:
    """φ'(z) from a = φ(z): 1 − a² for tanh, [a > 0] for ReLU."""
    return 1 - a * a if nonlinearity == "tanh" else np_.sign(np_.maximum(a, 0))


def outs(out: Any, n: int) -> Sequence[Any]:
    """Where a kernel puts its n results."""
    return (None,) * n if out is None else out


# Parts of compositions: the same in operations that have derivatives.


def steps(x: Any, reverse: bool) -> list[Any]:
    """The entries (…, n, k) of (…, n, T, k), in the order of computation."""
    return list(unstack(x, -2))[:: -1 if reverse else 1]


def mask_steps(mask: Any, reverse: bool, length: int) -> list[Any]:
    """The entries (…, n, 1) of a mask (…, n, T); None for every step where there is no mask."""
    return [None] * length if mask is None else steps(expand_dims(mask, -1), reverse)


def joined(parts: list[Any], reverse: bool) -> Any:
    """Steps (…, n, k) as (…, n, T, k): the inverse of `steps`."""
    return stack(parts[:: -1 if reverse else 1], -2)


def mapped(v: Any, w: Any, b: Any = None) -> Any:
    """v wᵀ + b with any axes in front, which v, w and b share: v (…, n, m), w (…, k, m), b (…, k)."""
    y = words.matmul(v, matrix_transpose(w))
    return y if b is None else y + expand_dims(b, -2)


def weight_share(deltas: list[Any], vs: list[Any]) -> Any:
    """Σₜ δₜᵀ vₜ of steps (…, n, k) and (…, n, m)."""
    rows = concatenate(deltas, -2), concatenate(vs, -2)
    return words.matmul(matrix_transpose(rows[0]), rows[1])


def bias_share(deltas: list[Any]) -> Any:
    """Σₜₙ δ of steps (…, n, k)."""
    return words.sum(concatenate(deltas, -2), -2)


def kept(mask: Any, new: Any, old: Any) -> Any:
    """The new state where the mask holds, else the old one."""
    return new if mask is None else words.where(mask, new, old)


# Rules.


def input_bar(needed: bool, delta: Any, w: Any) -> Any:
    """x̄ = δ W for all steps in one product, where it is needed. Shapes: δ (…, n, T, k), w (…, k, in)."""
    if not needed:
        return None
    if len(w.shape) > 2:
        return words.matmul(delta, expand_dims(w, -3))
    n, length, k = delta.shape
    rows = reshape(words.transpose(delta, 1, 0, 2), (length * n, k))  # as it lies in memory: no copy
    return words.transpose(reshape(words.matmul(rows, w), (length, n, w.shape[1])), 1, 0, 2)


def fitting(name: str, given: dict[str, Any], wanted: dict[str, tuple[int, ...]]) -> None:
    """Refuse arguments whose shapes are not the wanted ones.

    Raises:
        ShapeError: one differs.
    """
    for argument, spec in given.items():
        if spec is not None and tuple(spec.shape) != wanted[argument]:
            raise ShapeError(
                f"{name} expects {argument} of shape {wanted[argument]}, got {tuple(spec.shape)}.",
                **{key: tuple(s.shape) for key, s in given.items() if key in ("x", "h0") and key != argument},
            )


def over_sequences(primitive: Primitive, weights: tuple[int, ...], axes: int = 3) -> None:
    """State the batching rule of a recurrence: examples that share the weights are more sequences of one batch.

    `weights` are the places of the arguments that belong to no example, `axes` how many x has, (n, T, in). Where
    the weights differ from example to example, the batch is one more axis in front of everything.
    """

    def rule(size: int, args: Any, flags: Any, **params: Any) -> Any:
        fronted = [in_front(size, a, f) for a, f in zip(args, flags, strict=True)]
        if any(flags[i] for i in weights) or len(fronted[0].shape) > axes + 1:
            return primitive(*fronted, **params)
        folded = [args[i] if i in weights else _folded(a) for i, a in enumerate(fronted)]
        y = primitive(*folded, **params)
        return tuple(_unfolded(v, size) for v in y) if type(y) is tuple else _unfolded(y, size)

    primitive.batching(rule)


def _folded(x: Any) -> Any:
    return reshape(x, (prod(x.shape[:2]), *x.shape[2:]))


def _unfolded(x: Any, size: int) -> Any:
    return reshape(x, (size, x.shape[0] // size, *x.shape[1:]))


def product_cost(*places: int) -> Callable[..., float]:
    """The FLOPs of a recurrence: two for each weight, step and sequence; `places` are those of the weights."""

    def cost(y: Any, x: Any, *rest: Any, **params: Any) -> float:
        sequences = x.shape[-3] * x.shape[-2]
        return 2.0 * sequences * sum((x, *rest)[i].size for i in places)

    return cost
