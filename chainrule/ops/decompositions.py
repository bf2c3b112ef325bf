"""Eigenvalues, singular values, and orthogonal-triangular factors.

The kernels return one array, in which each column is a whole: an eigenvalue above its vector; a singular value
above its left and its right vector. The functions for users take it apart.

Vectors are determined up to their sign. Libraries differ in it, so it is chosen here, on every backend alike: of an
eigenvector, and of a left singular vector, the first entry that is not small against the largest is positive; and
so is the diagonal of R.

Where two values are equal, vectors are determined only up to a rotation among themselves, so that a single vector
has no derivative there. The terms 1/(λⱼ − λᵢ) are then taken as 0. That is right for everything that depends on
the values alone, or on the space that the vectors span; it is a choice, and not a derivative, for anything else.
Giles (2008), Townsend (2016).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends import into, xp
from chainrule.base.errors import ShapeError
from chainrule.core.batch import leading
from chainrule.core.families import general
from chainrule.core.vocabulary import words
from chainrule.ops.diagonals import diag_embed, diagonal, tril, triu
from chainrule.ops.linear_algebra import matmul_
from chainrule.ops.shapes import concatenate, expand_dims, matrix_transpose
from chainrule.ops.systems import matrices, solve_, square_shape

T = matrix_transpose


def rows(x: Any, start: int, stop: int | None) -> Any:
    """x[..., start:stop, :]."""
    return words.index(x, (..., slice(start, stop), slice(None)))


def _reciprocal(x: Any) -> Any:
    """1/x, and 0 where x is 0."""
    empty = x == 0
    return words.where(empty, 0.0, 1 / words.where(empty, 1.0, x))


def _gaps(values: Any) -> Any:
    """Fᵢⱼ = 1 / (λⱼ − λᵢ), 0 on the diagonal and where two values are equal."""
    return _reciprocal(expand_dims(values, -2) - expand_dims(values, -1))


def _scaled(x: Any, values: Any) -> Any:
    """x diag(values)."""
    return x * expand_dims(values, -2)


def _symmetric(x: Any) -> Any:
    return (x + T(x)) / 2


NOT_SMALL = 0.3
"""What part of the largest entry is not small: entries of simple vectors are other parts of one another, as 1/2."""


def _points_back(vectors: Any) -> Any:
    """Whether the first entry of each column that is not small is negative. Shapes (…, n, k) and (…, 1, k)."""
    np_ = xp(vectors)
    if not vectors.shape[-2]:
        return np_.sum(vectors, axis=-2, keepdims=True) < 0
    size = np_.abs(vectors)
    large = size > NOT_SMALL * np_.max(size, axis=-2, keepdims=True)
    first = large & (np_.cumsum(large, axis=-2, dtype=np.int32) == 1)
    return np_.sum(np_.where(first, vectors, 0.0), axis=-2, keepdims=True) < 0


# Eigenvalues of symmetric matrices.


@general
def eigh_(a: Any, *, out: Any = None) -> Any:
    """Eigenvalues of (a + aᵀ)/2, ascending, in the first row, above their vectors of length 1. Shape (…, n + 1, n)."""
    np_ = xp(a)
    values, vectors = np_.linalg.eigh((a + np_.swapaxes(a, -1, -2)) / 2)
    vectors = np_.where(_points_back(vectors), -vectors, vectors)
    return into(out, np_.concatenate((values[..., None, :], vectors), axis=-2))


def _eigen_parts(y: Any) -> tuple[Any, Any]:
    return words.squeeze(rows(y, 0, 1), -2), rows(y, 1, None)


def _eigen_tangent(a_dot: Any, y: Any) -> Any:
    values, v = _eigen_parts(y)
    inner = matmul_(T(v), matmul_(_symmetric(a_dot), v))
    moved = matmul_(v, _gaps(values) * inner)
    return concatenate([expand_dims(diagonal(inner), -2), moved], -2)


def _eigen_cotangent(y_bar: Any, y: Any) -> Any:
    (values, v), (values_bar, v_bar) = _eigen_parts(y), _eigen_parts(y_bar)
    inner = diag_embed(values_bar) + _gaps(values) * matmul_(T(v), v_bar)
    return _symmetric(matmul_(v, matmul_(inner, T(v))))


def _column_each(a: Any) -> tuple[int, ...]:
    n = square_shape(a)[-1]
    return (*a.shape[:-2], n + 1, n)


eigh_.jvp(lambda dots, y, a: _eigen_tangent(dots[0], y))
eigh_.vjps(lambda y_bar, y, a: _eigen_cotangent(y_bar, y))
eigh_.shape(_column_each)
leading(eigh_)
eigh_.cost(lambda y, a: 9 * a.size * a.shape[-1])
eigh_.formula(
    r"a = V \operatorname{diag}(\lambda) V^\top",
    r"\bar a = V (\operatorname{diag} \bar\lambda + F \odot V^\top \bar V) V^\top,"
    r"\; F_{ij} = 1/(\lambda_j - \lambda_i)",
)


@words.define
def eigh(a: Any) -> tuple[Any, Any]:
    """Eigenvalues, ascending, and eigenvectors, in columns, of symmetric matrices; other a count by (a + aᵀ)/2.

    Shapes: a (…, n, n), values (…, n), vectors (…, n, n). For equal eigenvalues see the head of this file.

    Raises:
        ShapeError: a is not square.
    """
    return _eigen_parts(eigh_(matrices(a)))


@words.define
def eigvalsh(a: Any) -> Any:
    """The eigenvalues of symmetric matrices, ascending; at equal ones the derivative is that of their sum."""
    return eigh(a)[0]


# Singular values.


@general
def svd_(a: Any, *, out: Any = None) -> Any:
    """Singular values, descending, above left and right vectors: columns (s, u, v). Shape (…, 1 + m + n, k)."""
    np_ = xp(a)
    u, s, vt = np_.linalg.svd(a, full_matrices=False)
    both = np_.concatenate((u, np_.swapaxes(vt, -1, -2)), axis=-2)
    both = np_.where(_points_back(u), -both, both)
    return into(out, np_.concatenate((s[..., None, :], both), axis=-2))


def _singular_parts(y: Any, m: int) -> tuple[Any, Any, Any]:
    return words.squeeze(rows(y, 0, 1), -2), rows(y, 1, 1 + m), rows(y, 1 + m, None)


def _beside(x: Any, vectors: Any) -> Any:
    """(I − U Uᵀ) x: the part of x outside of the space of the vectors."""
    return x - matmul_(vectors, matmul_(T(vectors), x))


def _singular_tangent(a_dot: Any, y: Any, a: Any) -> Any:
    s, u, v = _singular_parts(y, a.shape[-2])
    inner, gaps, shrink = matmul_(T(u), matmul_(a_dot, v)), _gaps(s * s), _reciprocal(s)
    left, right = _scaled(inner, s), T(_scaled(T(inner), s))  # inner S, S inner
    u_dot = matmul_(u, gaps * (left + T(left))) + _scaled(_beside(matmul_(a_dot, v), u), shrink)
    v_dot = matmul_(v, gaps * (right + T(right))) + _scaled(_beside(matmul_(T(a_dot), u), v), shrink)
    return concatenate([expand_dims(diagonal(inner), -2), u_dot, v_dot], -2)


def _singular_cotangent(y_bar: Any, y: Any, a: Any) -> Any:
    (s, u, v), (s_bar, u_bar, v_bar) = (_singular_parts(part, a.shape[-2]) for part in (y, y_bar))
    gaps, shrink = _gaps(s * s), _reciprocal(s)
    turn_u, turn_v = matmul_(T(u), u_bar), matmul_(T(v), v_bar)
    inner = _scaled(gaps * (turn_u - T(turn_u)), s) + T(_scaled(T(gaps * (turn_v - T(turn_v))), s))
    within = matmul_(matmul_(u, inner + diag_embed(s_bar)), T(v))
    outside_u = matmul_(_scaled(_beside(u_bar, u), shrink), T(v))
    return within + outside_u + matmul_(u, T(_scaled(_beside(v_bar, v), shrink)))


svd_.jvp(lambda dots, y, a: _singular_tangent(dots[0], y, a))
svd_.vjps(lambda y_bar, y, a: _singular_cotangent(y_bar, y, a))
svd_.shape(lambda a: (*a.shape[:-2], 1 + a.shape[-2] + a.shape[-1], min(a.shape[-2:])))
leading(svd_)
svd_.cost(lambda y, a: 14 * a.size * min(a.shape[-2:]))
svd_.formula(
    r"a = U \operatorname{diag}(s) V^\top",
    r"\bar a = U (\operatorname{diag} \bar s + (F \odot (U^\top \bar U - \bar U^\top U)) S"
    r" + S (F \odot (V^\top \bar V - \bar V^\top V))) V^\top"
    r" + (I - U U^\top) \bar U S^{-1} V^\top + U S^{-1} \bar V^\top (I - V V^\top),\; F_{ij} = 1/(s_j^2 - s_i^2)",
)


@words.define
def svd(a: Any) -> tuple[Any, Any, Any]:
    """The singular value decomposition a = U diag(s) Vᵀ, with as many columns as a has rows or columns.

    Shapes, k = min(m, n): a (…, m, n), U (…, m, k), s (…, k) descending, Vᵀ (…, k, n). For equal singular values
    see the head of this file.
    """
    a = matrices(a)
    s, u, v = _singular_parts(svd_(a), a.shape[-2])
    return u, s, T(v)


@words.define
def svdvals(a: Any) -> Any:
    """The singular values, descending."""
    return svd(a)[1]


# Orthogonal and triangular factor.


@general
def qr_(a: Any, *, out: Any = None) -> Any:
    """Q with orthonormal columns above the triangle R, a = Q R, for at least as many rows as columns: (…, m + n, n).

    The diagonal of R is not negative, which makes both unique where the columns of a do not depend on one another.
    """
    np_ = xp(a)
    q, r = np_.linalg.qr(a)
    falls = np_.sum(np_.tril(r), axis=-1) < 0  # of a triangle, that is the diagonal
    q, r = np_.where(falls[..., None, :], -q, q), np_.where(falls[..., None], -r, r)
    return into(out, np_.concatenate((q, r), axis=-2))


def _tall(a: Any) -> tuple[int, ...]:
    if a.shape[-2] < a.shape[-1]:
        raise ShapeError(f"Expected at least as many rows as columns, got shape {a.shape}.")
    return (*a.shape[:-2], a.shape[-2] + a.shape[-1], a.shape[-1])


def _per_triangle(x: Any, r: Any) -> Any:
    """x R⁻¹."""
    return T(solve_(T(r), T(x)))


def _qr_tangent(a_dot: Any, y: Any, a: Any) -> Any:
    q, r = rows(y, 0, a.shape[-2]), rows(y, a.shape[-2], None)
    scaled = _per_triangle(a_dot, r)
    inner = matmul_(T(q), scaled)
    low = tril(inner, -1)
    turn = low - T(low)
    return concatenate([matmul_(q, turn) + _beside(scaled, q), matmul_(triu(inner - turn), r)], -2)


def _qr_cotangent(y_bar: Any, y: Any, a: Any) -> Any:
    m = a.shape[-2]
    q, r, q_bar, r_bar = rows(y, 0, m), rows(y, m, None), rows(y_bar, 0, m), triu(rows(y_bar, m, None))
    inner = matmul_(r, T(r_bar)) - matmul_(T(q_bar), q)
    mirrored = tril(inner) + T(tril(inner, -1))
    return T(solve_(r, T(q_bar + matmul_(q, mirrored))))


qr_.jvp(lambda dots, y, a: _qr_tangent(dots[0], y, a))
qr_.vjps(lambda y_bar, y, a: _qr_cotangent(y_bar, y, a))
qr_.shape(_tall)
leading(qr_)
qr_.cost(lambda y, a: 4 * a.size * a.shape[-1])
qr_.formula(
    r"a = Q R",
    r"\bar a = (\bar Q + Q \operatorname{mirror}(\operatorname{tril}(R \bar R^\top - \bar Q^\top Q))) R^{-\top}",
)


@words.define
def qr(a: Any) -> tuple[Any, Any]:
    """a = Q R with orthonormal columns Q and upper triangle R.

    Shapes, k = min(m, n): a (…, m, n), Q (…, m, k), R (…, k, n). The derivative exists where the first k columns
    do not depend on one another.
    """
    a = matrices(a)
    m, n = a.shape[-2:]
    y = qr_(a if m >= n else words.index(a, (..., slice(0, m))))
    q, r = rows(y, 0, m), rows(y, m, None)
    if m < n:
        r = concatenate([r, matmul_(T(q), words.index(a, (..., slice(m, None))))], -1)
    return q, r
