"""Matrix products, and the affine map of a dense layer."""

from __future__ import annotations

from math import prod
from typing import Any

from chainrule.backends import xp
from chainrule.base.errors import ShapeError
from chainrule.core.batch import leading
from chainrule.core.families import general, multilinear
from chainrule.core.vocabulary import words
from chainrule.ops.operands import broadcast_shapes, broadcast_to, operand, promote
from chainrule.ops.reductions import sum
from chainrule.ops.shapes import expand_dims, matrix_transpose, reshape, squeeze


@multilinear
def matmul_(a: Any, b: Any, *, out: Any = None) -> Any:
    """Matrix product y = a b, batched over equal leading axes: ā = ȳ bᵀ, b̄ = aᵀ ȳ."""
    return xp(a).matmul(a, b, out=out)


def _match_inner(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    """The last axis of a is the last but one of b, or its only one."""
    rows = b[-2:][0]
    if a[-1] != rows:
        raise ShapeError(
            f"Matrix product of {a} and {b}: the inner sizes {a[-1]} and {rows} differ.",
            fix="transpose one of them (x.T)",
        )


def _product_shape(a: Any, b: Any) -> tuple[int, ...]:
    _match_inner(a.shape, b.shape)
    return (*a.shape[:-1], b.shape[-1])


matmul_.adjoints(
    lambda y_bar, a, b: matmul_(y_bar, matrix_transpose(b)),
    lambda y_bar, a, b: matmul_(matrix_transpose(a), y_bar),
)
matmul_.shape(_product_shape)
leading(matmul_)
matmul_.cost(lambda y, a, b: 2 * y.size * a.shape[-1])
matmul_.formula("y = a b", r"\bar a = \bar y\, b^\top", r"\bar b = a^\top \bar y")


@words.define
def matmul(a: Any, b: Any) -> Any:
    """a @ b with NumPy's rules: vectors are rows or columns as needed, leading axes broadcast.

    Raises:
        ShapeError: the inner sizes differ, or an operand has no axes.
    """
    a, b = _same_dtype(operand(a), operand(b))
    if not a.shape or not b.shape:
        raise ShapeError(f"A matrix product needs axes; the shapes are {tuple(a.shape)} and {tuple(b.shape)}.")
    _match_inner(tuple(a.shape), tuple(b.shape))
    if len(a.shape) == 1:
        return squeeze(matmul(expand_dims(a, 0), b), -1 if len(b.shape) == 1 else -2)
    if len(b.shape) == 1:
        return squeeze(matmul(a, expand_dims(b, 1)), -1)
    if len(b.shape) == 2 and len(a.shape) > 2:
        rows = matmul_(_as_rows(a), b)
        return reshape(rows, *a.shape[:-1], b.shape[-1])
    batch = _shared_batch(tuple(a.shape), tuple(b.shape))
    return matmul_(_with_batch(a, batch), _with_batch(b, batch))


def _shared_batch(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    try:
        return broadcast_shapes(a[:-2], b[:-2])
    except ShapeError as error:
        raise ShapeError(
            f"Matrix product of {a} and {b}: the leading axes {a[:-2]} and {b[:-2]} do not fit together.",
            fix=error.places["try"],
        ) from None


def _as_rows(x: Any) -> Any:
    return reshape(x, prod(x.shape[:-1]), x.shape[-1])


def _with_batch(x: Any, batch: tuple[int, ...]) -> Any:
    shape = (*batch, *x.shape[-2:])
    return x if tuple(x.shape) == shape else broadcast_to(x, shape=shape)


def _same_dtype(*xs: Any) -> list[Any]:
    dtype = promote(*(x.dtype for x in xs))
    return [x if x.dtype == dtype else words.astype(x, dtype=dtype) for x in xs]


@general
def affine_(x: Any, w: Any, b: Any, *, out: Any = None) -> Any:
    """y = x wᵀ + b for rows x (n, in), weight (out, in), bias (out): a product and an addition in one pass."""
    y = matmul_(x, w.T, out=out)
    y += b
    return y


def _affine_each(size: int, args: Any, flags: Any) -> Any:
    """Examples with one weight are more rows of one product; examples with a weight each are a batch of products."""
    x, w, b = args
    if flags == [True, False, False]:
        rows = affine_(reshape(x, size * x.shape[1], x.shape[2]), w, b)
        return reshape(rows, size, x.shape[1], w.shape[0])
    x, w, b = (words.in_front(size, a, f) for a, f in zip((x, w, b), flags, strict=True))
    return matmul_(x, matrix_transpose(w)) + expand_dims(b, 1)


affine_.jvp(lambda dots, y, x, w, b: affine_(dots[0], w, dots[2]) + matmul_(x, matrix_transpose(dots[1])))
affine_.vjps(
    lambda y_bar, y, x, w, b: matmul_(y_bar, w),
    lambda y_bar, y, x, w, b: matmul_(matrix_transpose(y_bar), x),
    lambda y_bar, y, x, w, b: sum(y_bar, 0),
)
affine_.shape(lambda x, w, b: (x.shape[0], w.shape[0]))
affine_.batching(lambda size, args, flags: _affine_each(size, args, flags))
affine_.cost(lambda y, x, w, b: 2 * y.size * x.shape[-1] + y.size)
affine_.formula(
    r"y = x w^\top + b", r"\bar x = \bar y\, w", r"\bar w = \bar y^\top x", r"\bar b = \textstyle\sum_n \bar y_n"
)


@words.define
def affine(x: Any, weight: Any, bias: Any = None) -> Any:
    """x wᵀ + b over the last axis, as in a dense layer. Shapes: x (…, in), weight (out, in), bias (out) or None.

    000 (3.8), with batches in rows.

    Raises:
        ShapeError: the last axis of x is not that of the weight, or the bias is not one number an output.
    """
    x, weight = _same_dtype(operand(x), operand(weight))
    if len(weight.shape) != 2:
        raise ShapeError(f"Expected a weight of shape (out, in), got {tuple(weight.shape)}.")
    if not x.shape or x.shape[-1] != weight.shape[-1]:
        raise ShapeError(f"Expected {weight.shape[-1]} input features, got {x.shape[-1] if x.shape else 'no axis'}.")
    rows = x if len(x.shape) == 2 else _as_rows(x)
    if bias is None:
        y = matmul_(rows, matrix_transpose(weight))
    else:
        bias = operand(bias)
        if tuple(bias.shape) != (weight.shape[0],):
            raise ShapeError(f"Expected a bias of shape ({weight.shape[0]},), got {tuple(bias.shape)}.")
        y = affine_(rows, weight, bias if bias.dtype == x.dtype else words.astype(bias, dtype=x.dtype))
    return y if len(x.shape) == 2 else reshape(y, *x.shape[:-1], weight.shape[0])


@words.define
def dot(a: Any, b: Any) -> Any:
    """Σ aᵢ bᵢ over all entries (for matrices the Frobenius product tr(aᵀ b))."""
    return sum(words.multiply(a, b))


@words.define
def outer(a: Any, b: Any) -> Any:
    """The matrix aᵢ bⱼ of two vectors."""
    return words.multiply(expand_dims(a, 1), expand_dims(b, 0))
