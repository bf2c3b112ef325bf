"""What is explained: a model, a batch and a loss, looked over before anything is computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule import losses
from chainrule.base.errors import DataError, OptionError, ShapeError
from chainrule.base.keys import Key
from chainrule.core import Tensor
from chainrule.glass.explanation.passes import Pass, kept
from chainrule.glass.explanation.run import Run, float64
from chainrule.nn import Dropout, Embedding, Module
from chainrule.nn.batch_norms import BatchNorm

LAYOUTS = ("rows", "columns")


@dataclass(frozen=True, eq=False)
class Problem:
    """What is explained: a model on a batch, in float64; `further` are the inputs behind x of a model of several."""

    model: Module
    x: np.ndarray
    y: Any
    loss: Callable[..., Any]
    layout: str
    key: Key
    further: tuple[np.ndarray, ...] = ()

    @property
    def inputs(self) -> tuple[np.ndarray, ...]:
        """What the model is called with."""
        return (self.x, *self.further)

    def alone(self, i: int) -> Problem:
        """The same for one sample."""
        one = slice(i, i + 1)
        return replace(self, x=self.x[one], y=self.y[one], further=tuple(v[one] for v in self.further))

    def run(self, state: dict[str, np.ndarray] | None, backward: bool = True) -> Pass:
        """One pass with the numbers of `state`, or with the model's own."""
        with float64(self.model, state):
            return kept(Run(self.model, self.inputs, self.y, self.loss, self.key), self.layout, backward)


def loss_named(loss: Any) -> Callable[..., Any]:
    """A loss function: itself, or by its name.

    Raises:
        OptionError: no loss has this name, or it is no function.
    """
    if isinstance(loss, str):
        return losses.named(loss)
    if not callable(loss):
        raise OptionError(f"A loss is a function or a name, got {type(loss).__name__}.", fix='"cross-entropy"')
    return loss


def check_options(model: Any, layout: str, lr: Any, optimizer: Any, steps: int) -> None:
    """That the model is one, and that the settings go together."""
    if not isinstance(model, Module):
        raise OptionError(
            f"explain needs a model made of modules, got {type(model).__name__}.",
            fix="cr.nn.Sequential(fc1=cr.nn.Linear(2, 3), act=cr.nn.ReLU(), fc2=cr.nn.Linear(3, 1))",
        )
    if layout not in LAYOUTS:
        raise OptionError(f"There is no layout {layout!r}.", known=", ".join(LAYOUTS))
    if lr is not None and optimizer is not None:
        raise OptionError("explain takes lr or optimizer, not both.", fix="the learning rate inside the optimizer")
    if optimizer is not None and not callable(optimizer):
        raise OptionError(
            f"explain takes a function that makes an optimizer from parameters, got {type(optimizer).__name__}.",
            fix="optimizer=lambda p: cr.optim.Adam(p, lr=1e-3)",
        )
    if steps < 1:
        raise OptionError(f"explain takes one update or more, got steps={steps}.")


def batch(model: Module, x: Any, y: Any) -> tuple[np.ndarray, Any]:
    """x in float64 with a batch axis, or ids as they are; y as it is, fractions in float64."""
    x, y = (np.asarray(v.data if isinstance(v, Tensor) else v) for v in (x, y))
    if x.ndim == 1:
        x, y = x[None], y[None]
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y):
        lengths = [f"{v.shape[0]}" if v.ndim else "no" for v in (x, y)]
        raise ShapeError(f"x has {lengths[0]} samples, y has {lengths[1]}.", x=x.shape, y=y.shape)
    if x.size == 0:
        raise DataError("explain needs at least one sample, got none.", x=x.shape)
    return _accepted(model, x), y.astype(np.float64) if y.dtype.kind == "f" else y


def several(x: Any) -> tuple[Any, ...]:
    """The inputs of a model: a tuple of arrays are several, anything else is one."""
    return x if isinstance(x, tuple) and all(isinstance(v, (np.ndarray, Tensor)) for v in x) and x else (x,)


def further(model: Module, inputs: tuple[Any, ...], x: np.ndarray) -> tuple[np.ndarray, ...]:
    """The inputs behind the first, of as many samples.

    Raises:
        ShapeError: one has another number of samples.
    """
    arrays = tuple(np.asarray(v.data if isinstance(v, Tensor) else v) for v in inputs)
    for i, v in enumerate(arrays):
        if v.ndim == 0 or len(v) != len(x):
            samples = str(v.shape[0]) if v.ndim else "no"
            raise ShapeError(
                f"The first input has {len(x)} samples, input {i + 2} has {samples}.",
                first=x.shape,
                other=v.shape,
            )
    return tuple(_accepted(model, v) for v in arrays)


def _accepted(model: Module, x: np.ndarray) -> np.ndarray:
    """An input in float64, or ids as they are."""
    if x.dtype.kind in "iu" and any(isinstance(module, Embedding) for _, module in model.named_modules()):
        return x
    x = x.astype(np.float64)
    if not np.isfinite(x).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
        where = f"row {place[0]}, column {place[1]}" if x.ndim == 2 else f"x[{', '.join(map(str, place))}]"
        raise DataError(f"x has a number that is not finite: {x[place]}.", place=where)
    return x


def check_alone(model: Module) -> None:
    """That no layer in training makes samples depend on each other or on a draw."""
    for path, module in model.named_modules():
        if module.training and isinstance(module, (Dropout, BatchNorm)):
            raise OptionError(
                "One sample alone would not be what it is in the batch.",
                layer=f"{path} = {module!r}",
                cause="in training this layer draws a mask, or takes the statistics of the batch",
                fix="model.eval()",
            )
