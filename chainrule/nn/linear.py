"""The dense layer."""

from __future__ import annotations

from math import prod, sqrt
from typing import Any

from chainrule.base.errors import OptionError, ShapeError
from chainrule.nn import init
from chainrule.nn.module import Module
from chainrule.nn.parameter import Parameter
from chainrule.nn.sizes import check_whole
from chainrule.ops import affine


class Linear(Module):
    """Dense layer z = x Wᵀ + b for rows x (000 (3.8), transposed).

    Shapes: x (…, in_features), result (…, out_features), weight (out_features, in_features), bias
    (out_features). Weights and bias start uniform on ±1/√in_features, as in PyTorch, unless `init` says
    otherwise; then the bias starts at 0.

    Raises:
        OptionError: a size is no whole number or less than 1, or `init` is no initialiser.
        ShapeError: the last axis of x is not in_features.
    """

    result_name = "z"

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        init: init.Initializer | str | None = None,
    ) -> None:
        check_whole("Linear", in_features=in_features, out_features=out_features)
        if in_features < 1 or out_features < 1:
            called = f"Linear({in_features}, {out_features})"
            raise OptionError(f"Linear needs at least one input and one output, got {called}.")
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(_draw(init or "fan_in_uniform", (out_features, in_features)))
        self.bias = Parameter(_bias(init, in_features, out_features)) if bias else None

    def forward(self, x: Any) -> Any:
        """x Wᵀ + b."""
        if not x.shape or x.shape[-1] != self.in_features:
            raise _mismatch(self, x)
        return affine(x, self.weight, self.bias)

    def __repr__(self) -> str:
        bias = "" if self.bias is not None else ", no bias"
        return f"Linear({self.in_features} → {self.out_features}{bias})"


def _draw(start: Any, shape: tuple[int, ...]) -> Any:
    return init.draw(start, shape)


def _bias(start: Any, n_in: int, n_out: int) -> Any:
    bound = 1 / sqrt(n_in)
    return init.draw(init.zeros if start else init.uniform(-bound, bound), (n_out,))


def _mismatch(layer: Linear, x: Any) -> ShapeError:
    if not x.shape:
        return ShapeError(
            f"Linear expects {layer.in_features} input features, got a single number.",
            input="()   no axis",
            fix="x.reshape(1, 1) with Linear(1, ...)" if layer.in_features > 1 else "x.reshape(1, 1)",
        )
    return ShapeError(
        f"Linear expects {layer.in_features} input features, got {x.shape[-1]}.",
        input=f"{x.shape}   axis −1 = {x.shape[-1]}",
        fix=_advice(layer, x.shape),
    )


def _advice(layer: Linear, shape: tuple[int, ...]) -> str:
    got, wanted = shape[-1], layer.in_features
    if len(shape) > 2 and prod(shape[1:]) == wanted:
        return "put Flatten() before it, or x.reshape(len(x), -1)"
    if len(shape) == 2 and shape[0] == wanted:
        return "x.T (samples are rows, features are columns)"
    if len(shape) == 1 and wanted == 1:
        return "x.reshape(-1, 1) (one feature, a sample a row)"
    if got < 1:
        return f"give it {wanted} features"
    if len(shape) == 1:
        return f"x of shape (n, {wanted}): a row for each sample, a column for each feature"
    drop = ", or drop one column (is an index column left in the data?)" if got == wanted + 1 else ""
    return f"Linear({got}, {layer.out_features}){drop}"
