"""The loss of a model on data, as a function of its parameters: one number over one vector θ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.base.errors import DataError, NumericalError, OptionError
from chainrule.core import grad, jvp, vjp, vmap
from chainrule.glass.still import module_at, of_parameters, plain
from chainrule.nn import Module
from chainrule.ops import reshape
from chainrule.train.objective import compared, learned

CHUNK = 64
"""Examples whose gradients are held at a time: each is as large as the model."""


class Surface:
    """L(θ), the loss of a model on data around the parameters that it has now; the model is not changed.

    θ are the parameters that learn, in their order, end to end, in float64; the model is in evaluation mode. `data`
    and `loss` are read as by `cr.fit`: a pair (x, y) or a Dataset, a function or a name.

    Raises:
        OptionError: the model has no parameters that learn, or there is no such loss.
        DataError: there are no examples, or the loss is not a tensor of one number.
        NumericalError: the loss is NaN or infinite.
    """

    def __init__(self, model: Module, data: Any, loss: Callable[..., Any] | str | None = None) -> None:
        self.model = module_at(model, "")
        dataset, self.loss = learned(data, loss)
        self.x, self.y = plain(dataset.x), plain(dataset.y)
        self.parameters = {name: plain(p) for name, p in model.named_parameters() if p.requires_grad}
        if not self.parameters:
            raise OptionError(
                "No parameter of the model learns, so its loss is a constant.", fix="model.requires_grad_()"
            )
        self.size = sum(p.size for p in self.parameters.values())
        self.compute = of_parameters(model)
        value = self.whole(self.parameters)
        if not hasattr(value, "shape"):
            raise DataError(
                f"The loss must be a tensor, this one gave {type(value).__name__}.",
                fix="operations of cr on the prediction: NumPy's are not recorded",
            )
        value = np.asarray(plain(value))
        if value.shape != ():
            raise DataError(
                f"The loss must be one number, this one gave {value.shape}.", fix="a loss with reduction='mean'"
            )
        if not np.isfinite(value):
            raise NumericalError(
                f"The loss is {value}, so its derivatives are no numbers.", fix="finite weights and data"
            )

    def of_batch(self, parameters: Mapping[str, Any], x: Any, y: Any) -> Any:
        """The loss of some examples, with other parameters."""
        return compared(self.loss, self.compute(parameters, x), y)

    def of_one(self, parameters: Mapping[str, Any], x: Any, y: Any) -> Any:
        """The loss of one example, without its batch axis."""
        return self.of_batch(parameters, reshape(x, (1, *x.shape)), reshape(y, (1, *y.shape)))

    def whole(self, parameters: Mapping[str, Any]) -> Any:
        """The loss of all examples."""
        return self.of_batch(parameters, self.x, self.y)

    def gradient(self) -> np.ndarray:
        """∂L/∂θ, shape (size,)."""
        return flat(grad(self.whole)(self.parameters))

    @cached_property
    def _pull(self) -> Callable[[Any], Any]:
        return vjp(grad(self.whole), self.parameters)[1]

    def hessian_product(self, v: np.ndarray) -> np.ndarray:
        """H v, H = ∂²L/∂θ², shape (size,).

        H is symmetric, so that v is pulled back through the gradient, which is computed once for all products:
        each costs about one backward pass of the gradient's graph. Pearlmutter (1994).
        """
        return flat(self._pull(self.parts(v))[0])

    def squared_norms(self) -> np.ndarray:
        """‖gᵢ‖² of the gradient of every example's own loss, shape (n,)."""
        each = vmap(grad(self.of_one), in_axes=(None, 0, 0))
        chunks = [slice(i, i + CHUNK) for i in range(0, len(self.x), CHUNK)]
        gradients = (each(self.parameters, self.x[c], self.y[c]).values() for c in chunks)
        return np.concatenate([np.sum([_squares(g) for g in parts], axis=0) for parts in gradients])

    def slopes(self, v: np.ndarray) -> np.ndarray:
        """gᵢ · v for every example: the derivatives of their losses along v, shape (n,), in one pass forward."""
        losses = vmap(self.of_one, in_axes=(None, 0, 0))
        return np.asarray(jvp(lambda w: losses(w, self.x, self.y), (self.parameters,), (self.parts(v),))[1])

    def parts(self, v: np.ndarray) -> dict[str, np.ndarray]:
        """A vector (size,) cut into the parameters."""
        stops = np.cumsum([p.size for p in self.parameters.values()])[:-1]
        pieces = zip(self.parameters.items(), np.split(v, stops), strict=True)
        return {name: piece.reshape(p.shape) for (name, p), piece in pieces}


def flat(parts: Mapping[str, Any]) -> np.ndarray:
    """Arrays by name, end to end."""
    return np.concatenate([np.asarray(p).ravel() for p in parts.values()])


def _squares(g: Any) -> np.ndarray:
    """The sum of squares of every example's part, (n, …) to (n,)."""
    return (np.asarray(g) ** 2).reshape(len(g), -1).sum(axis=1)
