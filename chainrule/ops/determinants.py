"""Determinants and their logarithms. The derivative of a determinant is the matrix of its cofactors."""

from __future__ import annotations

from typing import Any

from chainrule.backends import into, xp
from chainrule.core.batch import leading
from chainrule.core.families import general
from chainrule.core.vocabulary import words
from chainrule.ops.linear_algebra import matmul_
from chainrule.ops.reductions import sum
from chainrule.ops.shapes import expand_dims, matrix_transpose
from chainrule.ops.systems import inverse, matrices, square_shape


def _one_a_matrix(a: Any) -> tuple[int, ...]:
    return square_shape(a)[:-2]


def _inner(a: Any, b: Any) -> Any:
    """⟨a, b⟩ for each pair of matrices."""
    return sum(a * b, (-2, -1))


def _for_each(scalars: Any, a: Any) -> Any:
    """A number for each matrix, to multiply it."""
    return words.broadcast_to(expand_dims(expand_dims(scalars, -1), -1), shape=tuple(a.shape))


@general
def cofactors(a: Any, *, out: Any = None) -> Any:
    """cof a = det(a) a⁻ᵀ, found from the singular values, so that a may be singular."""
    np_ = xp(a)
    u, s, vt = np_.linalg.svd(a)
    sign = np_.round(np_.linalg.det(u) * np_.linalg.det(vt))
    own = np_.tril(np_.triu(np_.ones_like(a)))
    others = np_.prod(np_.where(own == 1, 1.0, s[..., None, :]), axis=-1)
    return into(out, np_.matmul(u * (others * sign[..., None])[..., None, :], vt))


def _cofactor_slope(direction: Any, y: Any, a: Any) -> Any:
    """The derivative of cof a along a direction; it is symmetric, and so its own adjoint. a must be regular here."""
    inverse_t = matrix_transpose(inverse(a))
    turned = matmul_(matmul_(y, matrix_transpose(direction)), inverse_t)
    return y * _for_each(_inner(inverse_t, direction), a) - turned


cofactors.jvp(lambda dots, y, a: _cofactor_slope(dots[0], y, a))
cofactors.vjps(lambda y_bar, y, a: _cofactor_slope(y_bar, y, a))
cofactors.shape(square_shape)
leading(cofactors)
cofactors.cost(lambda y, a: 22 * a.size * a.shape[-1])
cofactors.formula(
    r"y = \det(a)\, a^{-\top}", r"\bar a = \langle a^{-\top}, \bar y \rangle\, y - y\, \bar y^\top a^{-\top}"
)


@general
def det_(a: Any, *, out: Any = None) -> Any:
    """The determinant: by what factor a stretches volumes."""
    return into(out, xp(a).linalg.det(a))


det_.jvp(lambda dots, y, a: _inner(cofactors(a), dots[0]))
det_.vjps(lambda y_bar, y, a: cofactors(a) * _for_each(y_bar, a))
det_.shape(_one_a_matrix)
leading(det_)
det_.cost(lambda y, a: a.size * a.shape[-1] * 2 / 3)
det_.formula(r"y = \det a", r"\bar a = \bar y \operatorname{cof} a")


@general
def log_abs_det(a: Any, *, out: Any = None) -> Any:
    """ln |det a|, which neither overflows nor underflows; −∞ where a is singular."""
    return into(out, xp(a).linalg.slogdet(a)[1])


log_abs_det.jvp(lambda dots, y, a: _inner(matrix_transpose(inverse(a)), dots[0]))
log_abs_det.vjps(lambda y_bar, y, a: matrix_transpose(inverse(a)) * _for_each(y_bar, a))
log_abs_det.shape(_one_a_matrix)
leading(log_abs_det)
log_abs_det.cost(lambda y, a: a.size * a.shape[-1] * 2 / 3)
log_abs_det.formula(r"y = \ln |\det a|", r"\bar a = \bar y\, a^{-\top}")


@general
def det_sign(a: Any, *, out: Any = None) -> Any:
    """The sign of the determinant: −1, 0 or 1. The derivative is 0."""
    return into(out, xp(a).linalg.slogdet(a)[0])


det_sign.vjps(None)
det_sign.shape(_one_a_matrix)
leading(det_sign)
det_sign.cost(lambda y, a: a.size * a.shape[-1] * 2 / 3)
det_sign.formula(r"y = \operatorname{sign} \det a", r"\bar a = 0")


@words.define
def det(a: Any) -> Any:
    """The determinant of square matrices (…, n, n); its derivative, the cofactors, exists for singular ones too.

    Raises:
        ShapeError: a is not square.
    """
    return det_(matrices(a))


@words.define
def slogdet(a: Any) -> tuple[Any, Any]:
    """The sign of the determinant and ln |det a|; the sign has no derivative.

    Raises:
        ShapeError: a is not square.
        NumericalError: the derivative is asked for at a singular a.
    """
    a = matrices(a)
    return det_sign(a), log_abs_det(a)


@words.define
def logdet(a: Any) -> Any:
    """ln det a; NaN where the determinant is negative, −∞ where it is 0."""
    sign, size = slogdet(a)
    return words.where(sign < 0, float("nan"), size)
