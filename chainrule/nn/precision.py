"""Computing in half precision while the weights that are learned stay whole."""

from __future__ import annotations

from typing import Any

from chainrule.backends import as_dtype, is_floating, kind_of
from chainrule.base.errors import DtypeError
from chainrule.core import tree
from chainrule.core.tensor import Tensor
from chainrule.core.vocabulary import words
from chainrule.nn.functional import exchanged, stand_in
from chainrule.nn.module import Module


class LowPrecision(Module):
    """A module computed in float16 or bfloat16, with its parameters kept in float32 (master weights).

    For every call the parameters are rounded to the low precision, as a step of the graph, so that gradients
    arrive in float32 and small updates are not lost to rounding: w + Δ = w in float16 for Δ < 2⁻¹¹ w. Results are
    given in float32, so that the loss is computed there; running statistics stay in float32 too. With float16
    the gradients need a `LossScale`; bfloat16 has the range of float32. Micikevicius et al. (2018); 000 §11.3.

    Raises:
        DtypeError: the dtype is not floating-point.

    >>> import chainrule as cr
    >>> model = cr.nn.LowPrecision(cr.nn.Linear(2, 1), "float16")
    >>> model(cr.ones(1, 2)).dtype, model.module.weight.dtype
    (dtype('float32'), dtype('float32'))
    """

    def __init__(self, module: Module, dtype: Any = "bfloat16") -> None:
        self.module, self.dtype = module, as_dtype(dtype)
        if not is_floating(self.dtype):
            raise DtypeError(f"A model computes in floating-point numbers, not in {self.dtype}.")

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The module's results, computed in low precision and given in float32."""
        rounded = {id(p): stand_in(p, words.astype(p, self.dtype)) for p in self.module.parameters()}
        args, kwargs = tree.map_leaves(self._lowered, (args, kwargs))
        with exchanged(self.module, rounded):
            return tree.map_leaves(_raised, self.module(*args, **kwargs))

    def _lowered(self, x: Any) -> Any:
        return words.astype(x, self.dtype) if _is_floating(x) else x

    def extra_repr(self) -> str:
        return str(self.dtype)


def _is_floating(x: Any) -> bool:
    return (isinstance(x, Tensor) or words.is_array(x)) and kind_of(x) == "f"


def _raised(y: Any) -> Any:
    return words.astype(y, "float32") if _is_floating(y) else y
