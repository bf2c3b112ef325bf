"""Modules of two inputs: how alike they are, how far apart, and a bilinear map of both."""

from __future__ import annotations

from math import sqrt
from typing import Any

from chainrule import ops
from chainrule.base.errors import OptionError, ShapeError
from chainrule.nn import init
from chainrule.nn.module import Module
from chainrule.nn.parameter import Parameter


class CosineSimilarity(Module):
    """cos ∠(a, b) along an axis: axis 1, as PyTorch's, unless said otherwise."""

    def __init__(self, axis: int = 1, eps: float = 1e-8) -> None:
        self.axis, self.eps = axis, eps

    def forward(self, a: Any, b: Any) -> Any:
        """The cosines."""
        return ops.cosine_similarity(a, b, self.axis, self.eps)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


class PairwiseDistance(Module):
    """‖a − b + ε‖ₚ over the last axis, row by row."""

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdims: bool = False) -> None:
        self.p, self.eps, self.keepdims = p, eps, keepdims

    def forward(self, a: Any, b: Any) -> Any:
        """The distances."""
        return ops.pairwise_distance(a, b, self.p, self.eps, self.keepdims)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class Bilinear(Module):
    """yₖ = aᵀ Wₖ b + cₖ for rows a and b.

    Shapes: a (…, in1_features), b (…, in2_features), result (…, out_features), weight (out, in1, in2), bias (out).
    Weights and bias start uniform on ±1/√in1_features, as in PyTorch.

    Raises:
        OptionError: a size is less than 1.
        ShapeError: the last axis of an input does not fit.
    """

    def __init__(self, in1_features: int, in2_features: int, out_features: int, bias: bool = True) -> None:
        sizes = in1_features, in2_features, out_features
        if min(sizes) < 1:
            raise OptionError(f"Bilinear needs two inputs and an output at least, got Bilinear{sizes}.")
        self.in1_features, self.in2_features, self.out_features = sizes
        start = init.uniform(-1 / sqrt(in1_features), 1 / sqrt(in1_features))
        self.weight = Parameter(init.draw(start, (out_features, in1_features, in2_features)))
        self.bias = Parameter(init.draw(start, (out_features,))) if bias else None

    def forward(self, a: Any, b: Any) -> Any:
        """The bilinear map of a and b."""
        given, wanted = (tuple(a.shape)[-1:], tuple(b.shape)[-1:]), (self.in1_features, self.in2_features)
        if given != ((wanted[0],), (wanted[1],)):
            raise ShapeError(
                f"Bilinear expects {wanted[0]} and {wanted[1]} input features.",
                input=f"{tuple(a.shape)} and {tuple(b.shape)}",
            )
        return ops.bilinear(a, b, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"{self.in1_features} and {self.in2_features} → {self.out_features}"
