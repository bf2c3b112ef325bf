"""A derivative checked against what it must equal: the ladder from exact identity to finite differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base.errors import GradientError
from chainrule.base.keys import Key
from chainrule.core import tree
from chainrule.core.forward import jvp
from chainrule.core.reverse import vjp
from chainrule.core.stack import random_stream

ADJOINT_TOLERANCE = 1e-10
"""⟨ȳ, Jẋ⟩ = ⟨Jᵀȳ, ẋ⟩ is exact in real numbers: only rounding of float64 is left."""

DIFFERENCE_TOLERANCE = 1e-6
"""Central differences with step h err by O(h²) + ε/h: at h = 6e-6, ε = 1e-16 about 1e-10, times curvature."""

STEP = 6e-6
"""The cube root of the float64 rounding unit, which balances the two error terms."""


@dataclass(frozen=True)
class GradientReport:
    """The largest relative error of each rung, for the value's derivative and then for its derivative."""

    errors: dict[str, float]
    tolerances: dict[str, float]

    @property
    def largest_error(self) -> float:
        """The largest error against finite differences, relative to the size of the derivative."""
        return max(error for rung, error in self.errors.items() if "difference" in rung)

    def __bool__(self) -> bool:
        return all(error <= self.tolerances[rung] for rung, error in self.errors.items())

    def __str__(self) -> str:
        return "\n".join(
            f"{'✓' if error <= most else '✗'} {rung:<32} {error:.1e}  (at most {most:.0e})"
            for (rung, error), most in zip(self.errors.items(), self.tolerances.values(), strict=True)
        )


def check_gradients(f: Callable[..., Any], *args: Any, order: int = 1, seed: int = 0) -> GradientReport:
    """Check both derivative modes of f at a point, in float64, up to `order`.

    Three rungs at each order, with a random direction ẋ and cotangent ȳ:

        adjoint      ⟨ȳ, J ẋ⟩ = ⟨Jᵀ ȳ, ẋ⟩                  no step size: forward and reverse mode agree
        difference   J ẋ ≈ (f(x + hẋ) − f(x − hẋ)) / 2h      forward mode agrees with the function
        entries      (Jᵀȳ)ᵢ ≈ ⟨ȳ, f(x + heᵢ) − f(x − heᵢ)⟩ / 2h    reverse mode, up to 32 entries of each argument

    then the same for x ↦ Jᵀȳ. Arguments are trees of arrays or tensors; they are taken in float64.

    Raises:
        GradientError: a rung failed; the message is the whole table.
    """
    leaves, rebuild = tree.flatten(args)
    point = [np.array(getattr(leaf, "data", leaf), dtype=np.float64) for leaf in leaves]

    def on_leaves(*values: Any) -> Any:
        with random_stream(Key(seed)):  # the same draws at every evaluation
            return tree.flatten(f(*rebuild(list(values))))[0]

    report = GradientReport({}, {})
    for k in range(1, order + 1):
        on_leaves = _climb(on_leaves, point, k, seed, report)
    if not report:
        raise GradientError(f"A derivative is wrong.\n{report}")
    return report


def _climb(
    f: Callable[..., Any], point: list[Any], order: int, seed: int, report: GradientReport
) -> Callable[..., Any]:
    """Check one order and return the function x ↦ Jᵀȳ, to be checked next."""
    draw = (Key(seed) / "check" / order).generator().standard_normal
    x_dot = [draw(p.shape) for p in point]
    y, pull = vjp(f, *point)
    y_bar = [draw(v.shape) for v in y]
    x_bar = pull(y_bar)
    y_dot = jvp(f, tuple(point), tuple(x_dot))[1]

    def value(p: list[Any]) -> list[Any]:
        return [np.asarray(getattr(v, "data", v)) for v in f(*p)]

    rise = _difference(value, point, x_dot)
    pairs = list(_entries(value, point, y_bar, x_bar))
    reverse, differences = [got for got, _ in pairs], [wanted for _, wanted in pairs]
    most = DIFFERENCE_TOLERANCE * 10 ** (order - 1)
    _note(report, f"order {order}: adjoint identity", _inner(y_bar, y_dot), _inner(x_bar, x_dot), ADJOINT_TOLERANCE)
    _note(report, f"order {order}: forward difference", _flat(y_dot), _flat(rise), most)
    _note(report, f"order {order}: reverse difference", reverse, differences, most)
    return lambda *x: list(vjp(f, *x)[1](y_bar))


def _difference(value: Callable[..., Any], point: list[Any], direction: list[Any]) -> list[Any]:
    up = value([p + STEP * d for p, d in zip(point, direction, strict=True)])
    down = value([p - STEP * d for p, d in zip(point, direction, strict=True)])
    return [(u - d) / (2 * STEP) for u, d in zip(up, down, strict=True)]


def _entries(value: Callable[..., Any], point: list[Any], y_bar: list[Any], x_bar: Any, most: int = 32) -> Any:
    for i, p in enumerate(point):
        for flat in np.linspace(0, p.size - 1, min(p.size, most)).astype(int):
            direction = [np.zeros_like(q) for q in point]
            direction[i].flat[flat] = 1.0
            yield np.asarray(x_bar[i]).flat[flat], _inner(y_bar, _difference(value, point, direction))


def _note(report: GradientReport, rung: str, got: Any, wanted: Any, tolerance: float) -> None:
    got, wanted = np.asarray(got, dtype=float), np.asarray(wanted, dtype=float)
    scale = max(1.0, float(np.abs(wanted).max(initial=0.0)))
    error = float(np.abs(got - wanted).max(initial=0.0)) / scale
    report.errors[rung] = error if np.isfinite(error) else np.inf
    report.tolerances[rung] = tolerance


def _flat(arrays: Any) -> Any:
    return np.concatenate([np.ravel(np.asarray(getattr(a, "data", a))) for a in arrays]) if len(arrays) else np.zeros(0)


def _inner(a: Any, b: Any) -> float:
    return float(sum(np.vdot(np.asarray(x), np.asarray(y)) for x, y in zip(a, b, strict=True)))
