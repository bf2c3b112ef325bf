"""Normalisation: per feature over the batch, or per sample over the features.

Variances are biased, ε stands inside the root.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.base.errors import OptionError, ShapeError
from chainrule.core.tensor import Tensor
from chainrule.nn.module import Module
from chainrule.nn.parameter import Buffer, Parameter
from chainrule.ops import mean, reshape, sqrt, square


class BatchNorm1d(Module):
    """Batch normalisation of features: y = γ (z − μ)/√(σ² + ε) + β, statistics over the batch (and length).

    Shapes: z (n, features) or (n, features, length). In training μ and σ² (1/n) are the batch's, and the
    running ones follow,

        running ← (1 − momentum) · running + momentum · batch ,

    PyTorch's momentum (000 (14.4) writes the factor of the OLD value, 1 − momentum). The running variance
    takes the unbiased batch variance, as in PyTorch; `biased_running_var=True` takes the biased one, as in
    the documents. In evaluation the running ones are used. Ioffe & Szegedy (2015); 000 (7.11)-(7.14),
    004 (73)-(79).

    Raises:
        OptionError: num_features is less than 1.
        ShapeError: the feature axis does not fit, or there is one value a feature in training.
    """

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, *, biased_running_var: bool = False
    ) -> None:
        if num_features < 1:
            raise OptionError(f"BatchNorm1d needs one feature or more, got {num_features}.")
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.biased_running_var = biased_running_var
        self.weight = Parameter(np.ones(num_features, np.float32))
        self.bias = Parameter(np.zeros(num_features, np.float32))
        self.running_mean = Buffer(np.zeros(num_features, np.float32))
        self.running_var = Buffer(np.ones(num_features, np.float32))
        self.num_batches_tracked = Buffer(np.zeros((), np.int64))  # not needed here; PyTorch's files have it

    def forward(self, x: Any) -> Any:
        """γ (x − μ)/√(σ² + ε) + β."""
        self._check(x)
        mu, variance = self._batch_statistics(x) if self.training else (self.running_mean, self.running_var)
        scale, shift = self.weight, self.bias
        if len(x.shape) == 3:
            mu, variance, scale, shift = (reshape(v, -1, 1) for v in (mu, variance, scale, shift))
        return (x - mu) / sqrt(variance + self.eps) * scale + shift

    def _batch_statistics(self, x: Any) -> tuple[Any, Any]:
        axes = (0,) if len(x.shape) == 2 else (0, 2)
        n = x.size // self.num_features
        if n < 2:
            raise ShapeError(
                f"BatchNorm1d needs two values a feature or more to train on, got {n}.",
                input=x.shape,
                fix="a batch of two or more (drop_last=True), or model.eval()",
            )
        mu = mean(x, axes, keepdims=True)
        variance = mean(square(x - mu), axes)
        mu = reshape(mu, self.num_features)
        self._follow(mu.detach(), variance.detach() * (1.0 if self.biased_running_var else n / (n - 1)))
        return mu, variance

    def _follow(self, mu: Tensor, variance: Tensor) -> None:
        keep, take = 1 - self.momentum, self.momentum
        self.running_mean.assign(keep * self.running_mean.data + take * mu.data)
        self.running_var.assign(keep * self.running_var.data + take * variance.data)
        self.num_batches_tracked.assign(self.num_batches_tracked.data + 1)

    def _check(self, x: Any) -> None:
        if len(x.shape) not in (2, 3) or x.shape[1] != self.num_features:
            n = self.num_features
            raise ShapeError(
                f"BatchNorm1d expects (n, {n}) or (n, {n}, length), got {x.shape}.",
                input=f"{x.shape}   axis 1 = {x.shape[1]}" if len(x.shape) > 1 else x.shape,
                fix=self._advice(x.shape),
            )

    def _advice(self, shape: tuple[int, ...]) -> str:
        if len(shape) == 2:
            wide = shape[0] == self.num_features
            return "x.T (samples are rows, features are columns)" if wide else f"BatchNorm1d({shape[1]})"
        if len(shape) == 3:
            last = shape[2] == self.num_features
            return "x.transpose(0, 2, 1) (features are axis 1)" if last else f"BatchNorm1d({shape[1]})"
        return "put Flatten() before it" if len(shape) > 3 else "x.reshape(1, -1) (one sample, evaluation)"

    def extra_repr(self) -> str:
        return str(self.num_features)


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
        centred = x - mean(x, axes, keepdims=True)
        variance = mean(square(centred), axes, keepdims=True)
        return centred / sqrt(variance + self.eps) * self.weight + self.bias

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
