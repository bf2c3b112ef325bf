"""Normalisation: per feature over the batch, or per sample over the features. Variances are biased, ε inside the root."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.base.errors import ShapeError
from chainrule.nn.module import Module
from chainrule.nn.parameter import Buffer, Parameter
from chainrule.ops import mean, reshape, sqrt, square
from chainrule.core.tensor import Tensor


class BatchNorm1d(Module):
    """Batch normalisation of features: y = γ (z − μ)/√(σ² + ε) + β, statistics over the batch (and length).

    Shapes: z (n, features) or (n, features, length). In training μ and σ² (1/n) are the batch's, and the
    running ones follow,

        running ← (1 − momentum) · running + momentum · batch ,

    PyTorch's momentum (000 (14.4) writes the factor of the OLD value, 1 − momentum). The running variance takes
    the unbiased batch variance, as in PyTorch; `biased_running_var=True` takes the biased one, as in the
    documents. In evaluation the running ones are used. Ioffe & Szegedy (2015); 000 (7.11)-(7.14), 004 (73)-(79).

    Raises:
        ShapeError: the feature axis does not fit, or there is one value per feature in training.
    """

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, *, biased_running_var: bool = False
    ) -> None:
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.biased_running_var = biased_running_var
        self.weight = Parameter(np.ones(num_features, np.float32))
        self.bias = Parameter(np.zeros(num_features, np.float32))
        self.running_mean = Buffer(np.zeros(num_features, np.float32))
        self.running_var = Buffer(np.ones(num_features, np.float32))

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
        if n == 1:
            raise ShapeError(
                "Batch norm needs more than one value per feature to train on.",
                input=x.shape,
                **{"try": "a batch of two or more (drop_last=True), or model.eval()"},
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

    def _check(self, x: Any) -> None:
        if len(x.shape) not in (2, 3) or x.shape[1] != self.num_features:
            raise ShapeError(
                f"BatchNorm1d expects (n, {self.num_features}) or (n, {self.num_features}, length).",
                input=x.shape,
                **{"try": f"BatchNorm1d({x.shape[1]})" if len(x.shape) in (2, 3) else "Flatten() before it"},
            )

    def extra_repr(self) -> str:
        return f"{self.num_features}"


class LayerNorm(Module):
    """Layer normalisation: y = γ (z − μ)/√(σ² + ε) + β, statistics over the last axes of each sample.

    Shapes: z (…, *normalized_shape); γ (weight) and β (bias) have normalized_shape. Training and evaluation are
    the same. Ba et al. (2016); 000 (14.5)-(14.6).

    Raises:
        ShapeError: the last axes of z are not normalized_shape.
    """

    def __init__(self, normalized_shape: int | tuple[int, ...], eps: float = 1e-5) -> None:
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps = eps
        self.weight = Parameter(np.ones(self.normalized_shape, np.float32))
        self.bias = Parameter(np.zeros(self.normalized_shape, np.float32))

    def forward(self, x: Any) -> Any:
        """γ (x − μ)/√(σ² + ε) + β."""
        k = len(self.normalized_shape)
        if tuple(x.shape[-k:]) != self.normalized_shape:
            raise ShapeError(
                f"LayerNorm expects the last {'axis' if k == 1 else f'{k} axes'} to be {self.normalized_shape}.",
                input=x.shape,
                **{"try": f"LayerNorm({x.shape[-1]})"},
            )
        axes = tuple(range(-k, 0))
        centred = x - mean(x, axes, keepdims=True)
        variance = mean(square(centred), axes, keepdims=True)
        return centred / sqrt(variance + self.eps) * self.weight + self.bias

    def extra_repr(self) -> str:
        return str(self.normalized_shape)
