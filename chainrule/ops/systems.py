"""Linear equations: solve, inverse, Cholesky factor, pseudo-inverse, least squares.

Matrices stand in the last two axes, stacks of them in the axes before. Giles (2008).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends import dtype_of, into, kind_of, xp
from chainrule.base.errors import NumericalError, ShapeError
from chainrule.core.batch import leading
from chainrule.core.families import general
from chainrule.core.vocabulary import words
from chainrule.ops.linear_algebra import matmul, matmul_
from chainrule.ops.operands import broadcast_shapes, broadcast_to, operand, promote
from chainrule.ops.shapes import expand_dims, matrix_transpose, squeeze

T = matrix_transpose


def square_shape(a: Any, *others: Any) -> tuple[int, ...]:
    """The shape of square matrices.

    Raises:
        ShapeError: they are not square.
    """
    if len(a.shape) < 2 or a.shape[-1] != a.shape[-2]:
        raise ShapeError(f"Expected square matrices in the last two axes, got shape {tuple(a.shape)}.")
    return tuple(a.shape)


def matrices(x: Any) -> Any:
    """An operand of floating-point matrices.

    Raises:
        ShapeError: it has less than two axes.
    """
    x = operand(x)
    if len(x.shape) < 2:
        raise ShapeError(f"Expected matrices in the last two axes, got shape {tuple(x.shape)}.")
    return x if kind_of(x) == "f" else words.astype(x, np.float32)


def refused(decompose: Any, headline: str, remedy: str, *arrays: Any) -> Any:
    """What NumPy computes, or our error where it refuses.

    Raises:
        NumericalError: the matrix does not allow it.
    """
    try:
        return decompose(*arrays)
    except np.linalg.LinAlgError:
        raise NumericalError(headline, shape=tuple(arrays[0].shape), fix=remedy) from None


SINGULAR = "The matrix is singular: its rows depend on one another, so the equations have no single solution."


@general
def solve_(a: Any, b: Any, *, out: Any = None) -> Any:
    """The solution y of a y = b, for square a and columns b."""
    return into(out, refused(xp(a).linalg.solve, SINGULAR, "cr.lstsq, or a + eps * cr.eye(n)", a, b))


def _solvable(a: Any, b: Any) -> tuple[int, ...]:
    square_shape(a)
    if b.ndim < 2 or a.shape[-1] != b.shape[-2] or a.shape[:-2] != b.shape[:-2]:
        raise ShapeError(f"The equations a y = b do not fit together: a is {a.shape}, b is {b.shape}.")
    return b.shape


solve_.jvp(lambda dots, y, a, b: solve_(a, dots[1] - matmul_(dots[0], y)))
solve_.vjps(
    lambda y_bar, y, a, b: -matmul_(solve_(T(a), y_bar), T(y)),
    lambda y_bar, y, a, b: solve_(T(a), y_bar),
)
solve_.shape(_solvable)
leading(solve_)
solve_.cost(lambda y, a, b: a.size * a.shape[-1] * 2 / 3 + 2 * y.size * a.shape[-1])
solve_.formula("y = a^{-1} b", r"\bar a = -a^{-\top} \bar y\, y^\top", r"\bar b = a^{-\top} \bar y")


@general
def inverse(a: Any, *, out: Any = None) -> Any:
    """a⁻¹; to solve equations, `solve` is faster and loses fewer digits."""
    return into(out, refused(xp(a).linalg.inv, SINGULAR, "cr.pinv, or a + eps * cr.eye(n)", a))


inverse.jvp(lambda dots, y, a: -matmul_(matmul_(y, dots[0]), y))
inverse.vjps(lambda y_bar, y, a: -matmul_(matmul_(T(y), y_bar), T(y)))
inverse.shape(square_shape)
leading(inverse)
inverse.cost(lambda y, a: 2 * a.size * a.shape[-1])
inverse.formula("y = a^{-1}", r"\bar a = -y^\top \bar y\, y^\top")

NOT_POSITIVE = "The matrix has no Cholesky factor: its symmetric part is not positive definite."


@general
def cholesky_(a: Any, *, out: Any = None) -> Any:
    """The lower triangle L with L Lᵀ = (a + aᵀ)/2: of a symmetric matrix, its Cholesky factor."""
    symmetric = (a + xp(a).swapaxes(a, -1, -2)) / 2
    return into(out, refused(xp(a).linalg.cholesky, NOT_POSITIVE, "a + eps * cr.eye(n)", symmetric))


def _half_lower(x: Any) -> Any:
    """The lower triangle with half the diagonal: the part of a symmetric x that a factor L takes."""
    n = x.shape[-1]
    weights = np.tril(np.ones((n, n)), -1) + np.eye(n) / 2
    return x * weights.astype(x.dtype)


def _symmetric(x: Any) -> Any:
    return (x + T(x)) / 2


def _factor_tangent(a_dot: Any, factor: Any) -> Any:
    inner = T(solve_(factor, T(solve_(factor, _symmetric(a_dot)))))
    return matmul_(factor, _half_lower(inner))


def _factor_cotangent(bar: Any, factor: Any) -> Any:
    inner = _half_lower(matmul_(T(factor), bar))
    return _symmetric(solve_(T(factor), T(solve_(T(factor), T(inner)))))


cholesky_.jvp(lambda dots, y, a: _factor_tangent(dots[0], y))
cholesky_.vjps(lambda y_bar, y, a: _factor_cotangent(y_bar, y))
cholesky_.shape(square_shape)
leading(cholesky_)
cholesky_.cost(lambda y, a: a.size * a.shape[-1] / 3)
cholesky_.formula(
    r"L L^\top = \tfrac12(a + a^\top)",
    r"\bar a = \operatorname{sym}(L^{-\top} \Phi(L^\top \bar L) L^{-1}),\; \Phi = \text{lower, half diagonal}",
)


@general
def pinv_(a: Any, *, out: Any = None) -> Any:
    """The Moore-Penrose inverse: of all least-squares solutions a⁺ b is the shortest.

    Singular values below max(m, n) ε of the largest, with ε the rounding of the dtype, count as 0.
    """
    rounding = max(a.shape[-2:]) * float(np.finfo(dtype_of(a)).eps)
    return into(out, xp(a).linalg.pinv(a, rtol=rounding))


def _off_range(p: Any, a: Any) -> tuple[Any, Any]:
    """I − a a⁺ and I − a⁺ a: what a does not reach, and what it does not see."""
    m, n = a.shape[-2:]
    return np.eye(m, dtype=dtype_of(a)) - matmul_(a, p), np.eye(n, dtype=dtype_of(a)) - matmul_(p, a)


def _pinv_tangent(a_dot: Any, p: Any, a: Any) -> Any:
    unreached, unseen = _off_range(p, a)
    near = matmul_(matmul_(p, T(p)), matmul_(T(a_dot), unreached))
    far = matmul_(matmul_(unseen, T(a_dot)), matmul_(T(p), p))
    return near + far - matmul_(matmul_(p, a_dot), p)


def _pinv_cotangent(p_bar: Any, p: Any, a: Any) -> Any:
    unreached, unseen = _off_range(p, a)
    near = matmul_(matmul_(unreached, T(p_bar)), matmul_(p, T(p)))
    far = matmul_(matmul_(T(p), p), matmul_(T(p_bar), unseen))
    return near + far - matmul_(matmul_(T(p), p_bar), T(p))


pinv_.jvp(lambda dots, y, a: _pinv_tangent(dots[0], y, a))
pinv_.vjps(lambda y_bar, y, a: _pinv_cotangent(y_bar, y, a))
pinv_.shape(lambda a: (*a.shape[:-2], a.shape[-1], a.shape[-2]))
leading(pinv_)
pinv_.cost(lambda y, a: 14 * a.size * min(a.shape[-2:]))
pinv_.formula(
    r"p = a^+",
    r"\bar a = -p^\top \bar p\, p^\top + (I - a p)\, \bar p^\top p p^\top + p^\top p\, \bar p^\top (I - p a)",
)


@words.define
def solve(a: Any, b: Any) -> Any:
    """The solution of a y = b. Shapes: a (…, n, n), b (n,) or (…, n, k), result as b; leading axes broadcast.

    Raises:
        ShapeError: a is not square, or b has not n rows.
        NumericalError: a is singular.

    >>> solve(np.array([[2.0, 0.0], [0.0, 4.0]]), np.array([2.0, 2.0]))
    array([1. , 0.5])
    """
    a, b = matrices(a), operand(b)
    square_shape(a)
    dtype = promote(a.dtype, b.dtype)
    a, b = (x if x.dtype == dtype else words.astype(x, dtype) for x in (a, b))
    if len(b.shape) == 1:
        return squeeze(solve(a, expand_dims(b, 1)), -1)
    batch = broadcast_shapes(tuple(a.shape[:-2]), tuple(b.shape[:-2]))
    return solve_(*(broadcast_to(x, shape=(*batch, *x.shape[-2:])) if x.shape[:-2] != batch else x for x in (a, b)))


@words.define
def inv(a: Any) -> Any:
    """The inverse of square matrices; to solve equations, `solve` is faster and loses fewer digits.

    Raises:
        ShapeError: a is not square.
        NumericalError: a is singular.
    """
    return inverse(matrices(a))


@words.define
def cholesky(a: Any) -> Any:
    """The lower triangle L with L Lᵀ = a, for a symmetric and positive definite; other a count by (a + aᵀ)/2.

    Raises:
        ShapeError: a is not square.
        NumericalError: a is not positive definite.
    """
    return cholesky_(matrices(a))


@words.define
def pinv(a: Any) -> Any:
    """The pseudo-inverse a⁺ of any matrix; its derivative holds while the rank of a stays the same.

    Golub & Pereyra (1973).
    """
    return pinv_(matrices(a))


@words.define
def lstsq(a: Any, b: Any) -> Any:
    """The y that makes ‖a y − b‖ smallest, of several the shortest: a⁺ b. Shapes: a (…, m, n), b (m,) or (…, m, k)."""
    return matmul(pinv(a), b)
