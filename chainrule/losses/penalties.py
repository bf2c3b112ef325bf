"""Penalties on large parameters: as functions of tensors, and as settings that `fit` applies to a model.

| name          | adds to the loss          | its gradient          | in the documents                       |
|---------------|---------------------------|-----------------------|----------------------------------------|
| `l1`          | λ Σ |w|                   | λ sign(w), 0 at 0     | 000 (8.25)-(8.26)                      |
| `l2`          | λ Σ w²                    | 2 λ w                 | 000 (7.4), (7.6)                       |
| `half_l2`     | λ/2 Σ w²                  | λ w                   | 000 (8.22), 002 (20), 003 §14.2        |
| `elastic_net` | λ₁ Σ |w| + λ₂ Σ w²        | the sum of the two    | Zou & Hastie (2005), eq. 3             |

`l2` with λ is `half_l2` with 2 λ. A gradient step on `half_l2` with rate η multiplies the weights by 1 − η λ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Any, ClassVar, Literal

from chainrule.base.errors import OptionError
from chainrule.ops import abs, square, sum


def l1(parameters: Iterable[Any], lam: float) -> Any:
    """λ Σ |w|: the derivative has one size, which drives small weights to zero (sign(0) = 0). 000 (8.25).

    Raises:
        OptionError: no parameters, or a negative λ.
    """
    return _weighted("l1", abs, parameters, lam)


def l2(parameters: Iterable[Any], lam: float) -> Any:
    """λ Σ w², without a half: 000 (7.4).

    Raises:
        OptionError: no parameters, or a negative λ.

    >>> import numpy as np
    >>> round(float(l2([np.array([0.7, 0.8, 0.9])], lam=0.01)), 6)
    0.0194
    """
    return _weighted("l2", square, parameters, lam)


def half_l2(parameters: Iterable[Any], lam: float) -> Any:
    """λ/2 Σ w², whose gradient is λ w: 000 (8.22).

    Raises:
        OptionError: no parameters, or a negative λ.
    """
    return _weighted("half_l2", square, parameters, lam, scale=0.5)


def elastic_net(parameters: Iterable[Any], lam1: float, lam2: float) -> Any:
    """λ₁ Σ |w| + λ₂ Σ w²: the sparsity of the first with the stability of the second.

    From scikit-learn's numbers: λ₁ = alpha · l1_ratio, λ₂ = alpha · (1 − l1_ratio) / 2.

    Raises:
        OptionError: no parameters, or a negative λ.
    """
    parameters = list(parameters)
    return l1(parameters, lam1) + l2(parameters, lam2)


def weights(parameters: Iterable[Any]) -> list[Any]:
    """Those parameters that are weights: two axes or more. Biases and the scales of norms have one."""
    return [p for p in parameters if len(p.shape) >= 2]


def _weighted(name: str, entry: Callable[..., Any], parameters: Iterable[Any], lam: float, scale: float = 1.0) -> Any:
    """λ · scale · Σ entry(w) over all entries of all parameters."""
    check_strength(name, lam)
    sums = [sum(entry(w)) for w in parameters]
    if not sums:
        raise OptionError(
            f"{name} was given no parameters.",
            fix="list(model.parameters()): an iterator can be run through only once",
        )
    return reduce(add, sums) * (lam * scale)


def check_strength(name: str, lam: float) -> None:
    """λ is a number that does not reward large weights.

    Raises:
        OptionError: it is negative or NaN.
    """
    if not lam >= 0:
        raise OptionError(f"{name} needs a strength of at least 0, got {lam}.")


@dataclass(frozen=True)
class Penalty:
    """A penalty as a setting: called on a model, it gives the term to add to the loss.

    `of` says which parameters count: "weights" (two axes or more; 000, 003) or "all" (002 (20)). A model is
    anything with `parameters()`.

    Raises:
        OptionError: `of` is something else, or a strength is negative.
    """

    latex: ClassVar[tuple[str, str]] = ("", "")
    of: Literal["weights", "all"] = field(default="weights", kw_only=True)

    def __post_init__(self) -> None:
        if self.of not in ("weights", "all"):
            raise OptionError(f"There are no {self.of!r} parameters.", fix="of='weights' or of='all'")
        for name, strength in vars(self).items():
            if name != "of":
                check_strength(type(self).__name__, strength)

    def __call__(self, model: Any) -> Any:
        """The term to add to the loss, a scalar."""
        parameters = list(model.parameters())
        return self.term(weights(parameters) if self.of == "weights" else parameters)

    def term(self, parameters: list[Any]) -> Any:
        """The penalty of these parameters."""
        raise NotImplementedError


@dataclass(frozen=True)
class L1(Penalty):
    """λ Σ |w|: see `l1`."""

    latex: ClassVar[tuple[str, str]] = (r"\lambda \sum |w|", r"\lambda \operatorname{sign} w")
    lam: float

    def term(self, parameters: list[Any]) -> Any:
        """λ Σ |w|."""
        return l1(parameters, self.lam)


@dataclass(frozen=True)
class L2(Penalty):
    """λ Σ w²: see `l2`."""

    latex: ClassVar[tuple[str, str]] = (r"\lambda \sum w^2", r"2 \lambda w")
    lam: float

    def term(self, parameters: list[Any]) -> Any:
        """λ Σ w²."""
        return l2(parameters, self.lam)


@dataclass(frozen=True)
class HalfL2(Penalty):
    """λ/2 Σ w²: see `half_l2`."""

    latex: ClassVar[tuple[str, str]] = (r"\tfrac\lambda2 \sum w^2", r"\lambda w")
    lam: float

    def term(self, parameters: list[Any]) -> Any:
        """λ/2 Σ w²."""
        return half_l2(parameters, self.lam)


@dataclass(frozen=True)
class ElasticNet(Penalty):
    """λ₁ Σ |w| + λ₂ Σ w²: see `elastic_net`."""

    latex: ClassVar[tuple[str, str]] = (
        r"\lambda_1 \sum |w| + \lambda_2 \sum w^2",
        r"\lambda_1 \operatorname{sign} w + 2 \lambda_2 w",
    )
    lam1: float
    lam2: float

    def term(self, parameters: list[Any]) -> Any:
        """λ₁ Σ |w| + λ₂ Σ w²."""
        return elastic_net(parameters, self.lam1, self.lam2)


PENALTIES: dict[str, type[Penalty]] = {"l1": L1, "l2": L2, "half-l2": HalfL2, "elastic-net": ElasticNet}
"""Every penalty, by the name that the command line uses."""
