"""Layer normalisation: per sample, over its features. The variance is biased, ε stands inside the root."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.base.errors import OptionError, ShapeError
from chainrule.nn.module import Module
from chainrule.nn.parameter import Parameter
from chainrule.ops.normalisation import standardise


class LayerNorm(Module):
    """Layer normalisation: y = γ (z − μ)/√(σ² + ε) + β, statistics over the last axes of each sample.

    Shapes: z (…, *normalized_shape); γ (weight) and β (bias) have normalized_shape. Training and evaluation
    are the same. Ba et al. (2016); 000 (14.5)-(14.6).

    Raises:
        OptionError: normalized_shape has no axis, or a size less than 1.
        ShapeError: the last axes of z are not normalized_shape.
    """

    def __init__(self, normalized_shape: int | tuple[int, ...], eps: float = 1e-5) -> None:
        sizes = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape = sizes
        if not self.normalized_shape or min(self.normalized_shape) < 1:
            raise OptionError(f"LayerNorm needs sizes of 1 or more, got {normalized_shape}.")
        self.eps = eps
        self.weight = Parameter(np.ones(self.normalized_shape, np.float32))
        self.bias = Parameter(np.zeros(self.normalized_shape, np.float32))

    def forward(self, x: Any) -> Any:
        """γ (x − μ)/√(σ² + ε) + β."""
        k = len(self.normalized_shape)
        if tuple(x.shape[-k:]) != self.normalized_shape:
            raise self._mismatch(x.shape, k)
        axes = tuple(range(-k, 0))
        return standardise(x, axes, self.eps)[0] * self.weight + self.bias

    def _mismatch(self, shape: tuple[int, ...], k: int) -> ShapeError:
        last, wanted, got = "last axis", str(self.normalized_shape[0]), str(shape[-1]) if shape else "no axis"
        if k > 1:
            last, wanted, got = f"last {k} axes", str(self.normalized_shape), str(shape[-k:])
        fewest = "1 axis" if k == 1 else f"{k} axes"
        advice = f"LayerNorm({got})" if len(shape) >= k else f"an input of {fewest} or more"
        headline = f"LayerNorm expects {wanted} in the {last}, got {got}."
        return ShapeError(headline, input=shape, fix=advice)

    def extra_repr(self) -> str:
        return ", ".join(map(str, self.normalized_shape))
