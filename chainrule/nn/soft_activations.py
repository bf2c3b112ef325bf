"""Further smooth activations, and those that look along an axis. What each computes is in `ops`."""

from __future__ import annotations

from typing import Any

from chainrule import ops
from chainrule.base.errors import OptionError, ShapeError
from chainrule.nn.activations import Activation, module_of
from chainrule.nn.module import Module

Softsign: type[Activation] = module_of("Softsign", ops.softsign, __name__)
Tanhshrink: type[Activation] = module_of("Tanhshrink", ops.tanhshrink, __name__)
Mish: type[Activation] = module_of("Mish", ops.mish, __name__)


class CELU(Module):
    """x where x > 0, else α(e^(x/α) − 1).

    Raises:
        OptionError: α is 0.
    """

    is_activation = True

    def __init__(self, alpha: float = 1.0) -> None:
        if alpha == 0:
            raise OptionError("CELU divides by alpha, which is 0.")
        self.alpha = alpha

    def forward(self, x: Any) -> Any:
        """CELU of x."""
        return ops.celu(x, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class _Along(Module):
    is_activation = True
    function: Any

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Any:
        """The function along the axis."""
        return type(self).function(x, self.axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


class GLU(_Along):
    """a ⊙ σ(b), a and b the halves of x along an axis, the last one unless said otherwise.

    Raises:
        ShapeError: the axis has an odd size.
    """

    function = staticmethod(ops.glu)


class Softmin(_Along):
    """Probabilities along an axis, largest where x is smallest; the last axis unless said otherwise."""

    function = staticmethod(ops.softmin)


class Softmax2d(Module):
    """Probabilities over the channels, at every place of an image. Shapes: (n, c, height, width) or (c, height, width).

    Raises:
        ShapeError: x is no image.
    """

    is_activation = True

    def forward(self, x: Any) -> Any:
        """Softmax over channels."""
        if len(x.shape) not in (3, 4):
            raise ShapeError(f"Softmax2d expects images (n, c, height, width), got {tuple(x.shape)}.")
        return ops.softmax(x, -3)
