"""Features brought to one scale, by statistics of the training part alone.

A statistic that has seen the test part carries knowledge of it into training; so `fit` takes the training
inputs, and `transform` is then the same map for every part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from chainrule.base.errors import DataError, ShapeError
from chainrule.data.precision import kept_dtype


@dataclass(frozen=True, eq=False)
class Standardize:
    """Each feature with mean 0 and standard deviation 1.

        x' = (x − μ) / σ        σ² = (1/n) Σ (x − μ)²

    The variance is the biased one (1/n). A feature that is constant in the training part (σ = 0) says
    nothing and becomes 0 everywhere. 000 (14.1).

    >>> scaler = Standardize().fit(np.array([[1.0, 5.0], [3.0, 5.0]]))
    >>> scaler.transform(np.array([[1.0, 5.0], [4.0, 5.0]])).tolist()
    [[-1.0, 0.0], [2.0, 0.0]]
    """

    mean: np.ndarray | None = None
    std: np.ndarray | None = None

    def fit(self, x: Any) -> Self:
        """A scaler with the statistics of these examples, shape (n, features) or (n, any shape)."""
        x = examples(x)
        mean, std = x.mean(axis=0, dtype=np.float64), x.std(axis=0, dtype=np.float64)
        constant = x.max(axis=0) == x.min(axis=0)  # rounding may leave σ of a constant at 1e-17
        return type(self)(np.where(constant, x[0], mean), np.where(constant, 0.0, std))

    def transform(self, x: Any) -> np.ndarray:
        """These examples on the scale of the training part."""
        return to_unit(self, x, self.mean, self.std)

    def inverse(self, x: Any) -> np.ndarray:
        """Scaled examples in their own units again; a constant feature is its constant."""
        return from_unit(self, x, self.mean, self.std)

    def arrays(self) -> dict[str, np.ndarray]:
        """The statistics by name, for a checkpoint."""
        mean, std = fitted(self, self.mean, self.std)
        return {"mean": mean, "std": std}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """A scaler from what `arrays()` gave."""
        return cls(arrays["mean"], arrays["std"])


@dataclass(frozen=True, eq=False)
class MinMax:
    """Each feature between 0 and 1 in the training part.

        x' = (x − min) / (max − min)

    One outlier squeezes all other values together; `Standardize` suffers less. A constant feature becomes 0
    everywhere. Values outside the training range come out below 0 or above 1. 000 (14.2).

    >>> scaler = MinMax().fit(np.array([[1.0], [3.0]]))
    >>> scaler.transform(np.array([[2.0], [5.0]])).tolist()
    [[0.5], [2.0]]
    """

    low: np.ndarray | None = None
    span: np.ndarray | None = None

    def fit(self, x: Any) -> Self:
        """A scaler with the range of these examples, shape (n, features) or (n, any shape)."""
        x = examples(x)
        low, high = x.min(axis=0).astype(np.float64), x.max(axis=0).astype(np.float64)
        return type(self)(np.asarray(low), np.asarray(high - low))

    def transform(self, x: Any) -> np.ndarray:
        """These examples on the scale of the training part."""
        return to_unit(self, x, self.low, self.span)

    def inverse(self, x: Any) -> np.ndarray:
        """Scaled examples in their own units again; a constant feature is its constant."""
        return from_unit(self, x, self.low, self.span)

    def arrays(self) -> dict[str, np.ndarray]:
        """The statistics by name, for a checkpoint."""
        low, span = fitted(self, self.low, self.span)
        return {"low": low, "span": span}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """A scaler from what `arrays()` gave."""
        return cls(arrays["low"], arrays["span"])


SCALERS: dict[str, type[Standardize] | type[MinMax]] = {"standardize": Standardize, "minmax": MinMax}


def examples(x: Any) -> np.ndarray:
    """At least one example."""
    x = np.asarray(x)
    if x.ndim == 0 or len(x) == 0:
        headline = f"A scaler needs at least one example, got shape {x.shape}."
        raise DataError(headline, fix="fit it on the training part")
    return x


def to_unit(scaler: object, x: Any, origin: np.ndarray | None, unit: np.ndarray | None) -> np.ndarray:
    """(x − origin) / unit in the dtype of x; 0 where the unit is 0."""
    x, shift, scale = matched(scaler, x, origin, unit)
    out = np.subtract(x, shift)
    np.divide(out, scale, out=out, where=scale > 0)
    return np.multiply(out, scale > 0, out=out)


def from_unit(scaler: object, x: Any, origin: np.ndarray | None, unit: np.ndarray | None) -> np.ndarray:
    """origin + unit · x in the dtype of x."""
    x, shift, scale = matched(scaler, x, origin, unit)
    return x * scale + shift


def matched(
    scaler: object, x: Any, origin: np.ndarray | None, unit: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Examples and statistics in one floating dtype: that of x, or one that holds its integers."""
    origin, unit = fitted(scaler, origin, unit)
    x = np.asarray(x)
    if x.ndim == 0 or x.shape[1:] != origin.shape:
        raise ShapeError(
            f"{type(scaler).__name__} was fitted on examples of shape {origin.shape}, got {x.shape[1:]}.",
            input=x.shape,
            fix="give the same features, in the same order, as in training",
        )
    dtype = x.dtype if x.dtype.kind == "f" else kept_dtype(x.dtype)
    return x.astype(dtype, copy=False), origin.astype(dtype), unit.astype(dtype)


def fitted(scaler: object, first: np.ndarray | None, second: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The statistics, when there are any."""
    if first is None or second is None:
        name = type(scaler).__name__
        raise DataError(f"{name} has not been fitted.", fix=f"scaler = {name}().fit(train.x)")
    return first, second
