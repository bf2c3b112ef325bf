"""Batch normalisation, of features and of the channels of signals, images and volumes.

Variances are biased, ε stands inside the root.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.base.errors import OptionError, ShapeError
from chainrule.core.batch import Batched
from chainrule.core.tensor import Tensor
from chainrule.nn.images import channel_mismatch, refuse_other_axes
from chainrule.nn.module import Module
from chainrule.nn.parameter import Buffer, Parameter
from chainrule.ops import astype, mean, reshape, sqrt, square


class BatchNorm(Module):
    """What batch normalisation of every number of axes shares; see `BatchNorm1d`."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        *,
        biased_running_var: bool = False,
    ) -> None:
        if num_features < 1:
            raise OptionError(f"{type(self).__name__} needs one feature or more, got {num_features}.")
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.biased_running_var = biased_running_var
        self.weight = Parameter(np.ones(num_features, np.float32)) if affine else None
        self.bias = Parameter(np.zeros(num_features, np.float32)) if affine else None
        self.running_mean = Buffer(np.zeros(num_features, np.float32))
        self.running_var = Buffer(np.ones(num_features, np.float32))
        self.num_batches_tracked = Buffer(np.zeros((), np.int64))

    def forward(self, x: Any) -> Any:
        """γ (x − μ)/√(σ² + ε) + β."""
        self._check(x)
        mu, variance = self._batch_statistics(x) if self.training else (self.running_mean, self.running_var)
        y = (x - self._along(mu, x)) / sqrt(self._along(variance, x) + self.eps)
        return y if self.weight is None else y * self._along(self.weight, x) + self._along(self.bias, x)

    def _along(self, statistic: Any, x: Any) -> Any:
        """A number a feature, as it stands beside x."""
        return reshape(statistic, -1, *[1] * (len(x.shape) - 2))

    def _batch_statistics(self, x: Any) -> tuple[Any, Any]:
        axes = (0, *range(2, len(x.shape)))
        n = x.size // self.num_features
        if n < 2:
            raise ShapeError(
                f"{type(self).__name__} needs two values a feature or more to train on, got {n}.",
                input=x.shape,
                fix="a batch of two or more (drop_last=True), or model.eval()",
            )
        mu = mean(x, axes, keepdims=True)
        variance = mean(square(x - mu), axes)
        mu = reshape(mu, self.num_features)
        self._follow(mu.detach(), variance.detach() * (1.0 if self.biased_running_var else n / (n - 1)))
        return mu, variance

    def _follow(self, mu: Tensor, variance: Tensor) -> None:
        count = _values(self.num_batches_tracked) + 1
        self.num_batches_tracked.assign(count)
        take = 1 / astype(count, self.running_mean.dtype) if self.momentum is None else self.momentum
        self.running_mean.assign((1 - take) * _values(self.running_mean) + take * _values(mu))
        self.running_var.assign((1 - take) * _values(self.running_var) + take * _values(variance))

    def _check(self, x: Any) -> None:
        raise NotImplementedError

    def extra_repr(self) -> str:
        return str(self.num_features)


def _values(x: Tensor) -> Any:
    """Numbers without a history: an array, or a tensor where each example of `vmap` has its own."""
    return x if isinstance(x, Batched) else x.data


class BatchNorm1d(BatchNorm):
    """Batch normalisation of features: y = γ (z − μ)/√(σ² + ε) + β, statistics over the batch (and length).

    Shapes: z (n, features) or (n, features, length). In training μ and σ² (1/n) are the batch's, and the
    running ones follow,

        running ← (1 − momentum) · running + momentum · batch ,

    PyTorch's momentum (000 (14.4) writes the factor of the OLD value, 1 − momentum); None takes the mean of all
    batches. The running variance takes the unbiased batch variance, as in PyTorch; `biased_running_var=True`
    takes the biased one, as in the documents. In evaluation the running ones are used. Ioffe & Szegedy (2015);
    000 (7.11)-(7.14), 004 (73)-(79).

    Raises:
        OptionError: num_features is less than 1.
        ShapeError: the feature axis does not fit, or there is one value a feature in training.
    """

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


class _OfImages(BatchNorm):
    axes: int

    def _check(self, x: Any) -> None:
        refuse_other_axes(self, x, self.axes, self.num_features)
        if x.shape[1] != self.num_features:
            raise channel_mismatch(self, x, self.num_features, f"{type(self).__name__}({x.shape[1]})")


class BatchNorm2d(_OfImages):
    """Batch normalisation of images (n, c, height, width): a mean and a variance a channel; see `BatchNorm1d`.

    Raises:
        OptionError: num_features is less than 1.
        ShapeError: x has other axes or channels, or there is one value a channel in training.
    """

    axes = 2


class BatchNorm3d(_OfImages):
    """Batch normalisation of volumes (n, c, depth, height, width); see `BatchNorm1d`.

    Raises:
        OptionError: num_features is less than 1.
        ShapeError: x has other axes or channels, or there is one value a channel in training.
    """

    axes = 3
