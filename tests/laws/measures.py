"""How far a function is from the laws of differentiation, in relative errors, without `check_gradients`."""

import numpy as np

import chainrule as cr

STEP = 6e-6
"""Cube root of float64's rounding unit: where the two errors of a central difference balance."""

ADJOINT_TOLERANCE = 1e-10
"""⟨ȳ, Jẋ⟩ = ⟨Jᵀȳ, ẋ⟩ holds exactly; what is left is rounding over a few dozen entries."""

DIFFERENCE_TOLERANCE = 1e-6
"""h² · f‴/6 + ε/h ≈ 1e-9 in the domains drawn; a rule wrong by 0.1 % stands a thousand times above."""


def plain(x):
    return np.asarray(getattr(x, "data", x), dtype=np.float64)


def gaps(f, point, seed=0):
    """The error of the adjoint identity, of forward mode and of reverse mode at a point."""
    draw = np.random.default_rng(seed)
    dots = tuple(draw.standard_normal(p.shape) for p in point)
    y, pull = cr.vjp(f, *point)
    bars = tuple(draw.standard_normal(v.shape) for v in y)
    x_bars = pull(bars)
    y_dots = cr.jvp(f, tuple(point), dots)[1]
    return {
        "adjoint": _gap(_inner(bars, y_dots), _inner(x_bars, dots)),
        "forward": max(map(_gap, y_dots, _difference(f, point, dots)), default=0.0),
        "reverse": max((_gap(x_bars[i], _numeric_pull(f, point, bars, i)) for i in range(len(point))), default=0.0),
    }


def laws_hold(f, point, seed=0):
    found = gaps(f, point, seed)
    return found["adjoint"] <= ADJOINT_TOLERANCE and max(found["forward"], found["reverse"]) <= DIFFERENCE_TOLERANCE


def derivative_of(f, point, seed=1):
    """The function x ↦ Jᵀȳ for a fixed ȳ, whose laws are those of order 2."""
    draw = np.random.default_rng(seed)
    bars = tuple(draw.standard_normal(v.shape) for v in cr.vjp(f, *point)[0])
    return lambda *x: cr.vjp(f, *x)[1](bars)


def _difference(f, point, dots):
    up = f(*(p + STEP * d for p, d in zip(point, dots, strict=True)))
    down = f(*(p - STEP * d for p, d in zip(point, dots, strict=True)))
    return [(plain(u) - plain(d)) / (2 * STEP) for u, d in zip(up, down, strict=True)]


def _numeric_pull(f, point, bars, i):
    """(Jᵀȳ) of argument i, entry by entry."""
    result = np.zeros(point[i].shape)
    for place in np.ndindex(*point[i].shape):
        dots = [np.zeros(p.shape) for p in point]
        dots[i][place] = 1.0
        result[place] = _inner(bars, _difference(f, point, dots))
    return result


def _inner(a, b):
    return sum(float(np.sum(plain(x) * plain(y))) for x, y in zip(a, b, strict=True))


def _gap(found, wanted):
    found, wanted = plain(found), plain(wanted)
    assert found.shape == wanted.shape
    error = np.abs(found - wanted).max(initial=0.0) / max(1.0, np.abs(wanted).max(initial=0.0))
    return float(error) if np.isfinite(error) else np.inf
