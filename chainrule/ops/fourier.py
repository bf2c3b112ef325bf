"""The discrete Fourier transform of real signals, and its inverse: two linear maps, each made of the other's adjoint.

Complex numbers are pairs of real ones in a last axis of size 2, (real, imaginary), so that every derivative is a
real one and means what it says.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends import dtype_of, into, kind_of, xp
from chainrule.base.errors import OptionError, ShapeError
from chainrule.core.batch import leading
from chainrule.core.families import linear
from chainrule.core.vocabulary import words
from chainrule.ops.operands import axis_of, operand
from chainrule.ops.rearrangement import moveaxis
from chainrule.ops.shapes import concatenate, stack


@linear
def rfft_(x: Any, *, out: Any = None) -> Any:
    """X_k = Σ_t x_t e^(−2πi kt/n) for k = 0 … ⌊n/2⌋, along the last axis, as pairs."""
    spectrum = xp(x).fft.rfft(x)
    return into(out, xp(x).stack((spectrum.real, spectrum.imag), axis=-1).astype(x.dtype, copy=False))


@linear
def irfft_(X: Any, *, n: int, out: Any = None) -> Any:
    """x_t = 1/n Σ_k X_k e^(2πi kt/n) over all n frequencies, of which pairs for k = 0 … ⌊n/2⌋ are given."""
    complex_ = X[..., 0] + 1j * X[..., 1]
    return into(out, xp(X).fft.irfft(complex_, n).astype(X.dtype, copy=False))


def _multiplicity(n: int, dtype: Any) -> Any:
    """How often each frequency stands among all n: those within twice, 0 and n/2 once. Shape (⌊n/2⌋ + 1, 1)."""
    times = np.full((n // 2 + 1, 1), 2, dtype)
    times[0] = 1
    if n % 2 == 0:
        times[-1] = 1
    return times


def _log_cost(n: int, size: int) -> float:
    return 2.5 * size * np.log2(max(2, n))


def _frequencies(x: Any) -> tuple[int, ...]:
    if not x.ndim or not x.shape[-1]:
        raise ShapeError(f"There is no signal to transform in shape {x.shape}.")
    return (*x.shape[:-1], x.shape[-1] // 2 + 1, 2)


def _signal(X: Any, *, n: int) -> tuple[int, ...]:
    if tuple(X.shape[-2:]) != (n // 2 + 1, 2):
        raise ShapeError(f"A signal of length {n} has a spectrum of shape (…, {n // 2 + 1}, 2), got {tuple(X.shape)}.")
    return (*X.shape[:-2], n)


rfft_.adjoint(lambda X_bar, x: irfft_(X_bar * (x.shape[-1] / _multiplicity(x.shape[-1], x.dtype)), n=x.shape[-1]))
rfft_.shape(_frequencies)
leading(rfft_)
rfft_.cost(lambda y, x: _log_cost(x.shape[-1], x.size))
rfft_.formula(
    r"X_k = \sum_t x_t e^{-2\pi i k t / n}",
    r"\bar x_t = \operatorname{Re} \sum_{k \le n/2} \bar X_k e^{2\pi i k t / n}",
)
irfft_.adjoint(lambda x_bar, X, *, n: rfft_(x_bar) * (_multiplicity(n, X.dtype) / n))
irfft_.shape(_signal)
leading(irfft_)
irfft_.cost(lambda y, X, *, n: _log_cost(n, y.size))
irfft_.formula(
    r"x_t = \tfrac1n \sum_k X_k e^{2\pi i k t / n}",
    r"\bar X_k = \tfrac{m_k}{n} \sum_t \bar x_t e^{-2\pi i k t / n},\; m_k \in \{1, 2\}",
)


@words.define
def rfft(x: Any, n: int | None = None, axis: int = -1) -> Any:
    """The spectrum of a real signal along an axis, X_k = Σ_t x_t e^(−2πi kt/n).

    `n` cuts the signal or fills it up with zeros. Shapes: x (…, n, …), result (…, ⌊n/2⌋ + 1, …, 2), the last
    axis holding real and imaginary part; NumPy's complex numbers are y[..., 0] + 1j * y[..., 1].

    Raises:
        OptionError: n is below 1.

    >>> rfft(np.array([1.0, 0.0, -1.0, 0.0]))
    array([[0., 0.],
           [2., 0.],
           [0., 0.]])
    """
    x = operand(x)
    x = x if kind_of(x) == "f" else words.astype(x, np.float32)
    axis = axis_of(axis, x.shape)
    x = moveaxis(x, axis, -1)
    if n is not None:
        x = _of_length(x, n)
    return moveaxis(rfft_(x), -2, axis)


@words.define
def irfft(X: Any, n: int | None = None, axis: int = -1) -> Any:
    """The real signal of a spectrum given as pairs, of n entries (an even number where none is given).

    `axis` is that of the frequencies, the pairs not counted. The imaginary parts of frequencies 0 and n/2, which
    no real signal has, are left out.

    Raises:
        ShapeError: the last axis is not of pairs, or there are not ⌊n/2⌋ + 1 frequencies.
    """
    X = operand(X)
    if len(X.shape) < 2 or X.shape[-1] != 2:
        raise ShapeError(f"A spectrum has pairs (real, imaginary) in its last axis, got shape {tuple(X.shape)}.")
    axis = axis_of(axis, X.shape[:-1])
    length: int = 2 * (X.shape[axis] - 1) if n is None else n
    X = moveaxis(X, axis, -2)
    _signal(X, n=length)  # NumPy would cut or fill up what does not fit
    return moveaxis(irfft_(X, n=length), -1, axis)


def _of_length(x: Any, n: int) -> Any:
    """The last axis cut to n entries, or filled up with zeros."""
    if n < 1:
        raise OptionError(f"A signal has at least 1 entry, not n = {n}.")
    have = x.shape[-1]
    if n <= have:
        return words.index(x, (..., slice(0, n)))
    return concatenate([x, np.zeros((*x.shape[:-1], n - have), dtype_of(x))], -1)


@words.define
def complex_multiply(a: Any, b: Any) -> Any:
    """The product of complex numbers given as pairs: (p + qi)(r + si) = pr − qs + (ps + qr) i.

    A product of spectra is a circular convolution of the signals.
    """
    (p, q), (r, s) = words.unstack(operand(a), -1), words.unstack(operand(b), -1)
    return stack([p * r - q * s, p * s + q * r], -1)
