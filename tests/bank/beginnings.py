"""What the first steps of a script show, measured here and by no diagnosis: it is what its truth is held against."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from tests.bank.scripts import Script


@dataclass
class Beginning:
    """The first steps of a training: lists have an entry a step; `outputs` are by the path of the layer, of the last.

    `slope` is the root mean square of ∂L/∂x at the first step, over the first time step where there are several, and
    `x` the inputs of that step; `data` and `validation` are what `fit` was given, `scope` are the script's own names.
    """

    losses: list[float] = field(default_factory=list)
    gradients_finite: list[bool] = field(default_factory=list)
    states_finite: list[bool] = field(default_factory=list)
    training: list[bool] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    zeroed: int = 0
    slope: float = 0.0
    x: Any = None
    outputs: dict[str, np.ndarray] = field(default_factory=dict)
    data: Any = None
    validation: Any = None
    scope: dict[str, Any] = field(default_factory=dict)


class EnoughSeenError(Exception):
    """So many steps were asked for."""


def begin(script: Script, repaired: bool = False, steps: int = 1_000_000) -> Beginning:
    """Run a script for some steps, all of them by define-by-run."""
    scope: dict[str, Any] = {"__name__": "bank"}
    watch = Watch(Beginning(scope=scope), steps)
    code = compile(script.repaired_source if repaired else script.source, str(script.path), "exec")
    with watch.watching(), np.errstate(all="ignore"), contextlib.suppress(EnoughSeenError, cr.NumericalError):
        exec(code, scope)
    return watch.seen


class Watch:
    """What stands in place of five functions of the library, calls them, and notes what it sees."""

    def __init__(self, seen: Beginning, steps: int) -> None:
        self.seen, self.steps = seen, steps
        self.inside: list[cr.nn.Module] = []
        self.model: cr.nn.Module | None = None
        self.x: cr.Tensor | None = None

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Inside of the block it stands there; compiled steps are what was compiled."""
        with pytest.MonkeyPatch.context() as patch:
            for owner, name, mine in (
                (cr.nn.Module, "__call__", self.call),
                (cr.Tensor, "backward", self.backward),
                (cr.optim.Optimizer, "step", self.step),
                (cr.optim.Optimizer, "zero_grad", self.zero_grad),
                (cr, "fit", self.fit),
            ):
                patch.setattr(owner, name, around(getattr(owner, name), mine))
            patch.setattr(cr, "compile", lambda step: step)
            yield

    def call(self, original: Callable[..., Any], module: cr.nn.Module, *args: Any, **kwargs: Any) -> Any:
        """Outputs by path; the inputs of the outermost call, if they are floats, as a tensor that gets a gradient."""
        if not self.inside:
            self.model = module
            if args and np.asarray(args[0]).dtype.kind == "f":
                self.x = cr.tensor(np.asarray(args[0], dtype=np.float32)).requires_grad_()
                args = (self.x, *args[1:])
        self.inside.append(module)
        try:
            result = original(module, *args, **kwargs)
        finally:
            self.inside.pop()
        root = self.inside[0] if self.inside else module
        path = next(name for name, other in root.named_modules() if other is module)
        self.seen.outputs[path] = (result[0] if isinstance(result, tuple) else result).numpy()
        return result

    def backward(self, original: Callable[..., Any], loss: cr.Tensor, *args: Any, **kwargs: Any) -> None:
        """The loss, and once the slope at the inputs."""
        original(loss, *args, **kwargs)
        self.seen.losses.append(float(loss.numpy()))
        if self.seen.x is None and self.x is not None and self.x.grad is not None:
            slope = self.x.grad.numpy()
            self.seen.x = self.x.numpy()
            self.seen.slope = float(np.sqrt(np.mean(np.square(slope[:, 0] if slope.ndim == 3 else slope))))

    def step(self, original: Callable[..., Any], optimizer: Any, *args: Any, **kwargs: Any) -> None:
        """How far parameters move, what is finite, and the mode of the model."""
        seen, parameters = self.seen, list(optimizer.parameters())
        seen.gradients_finite.append(all(finite(p.grad.numpy()) for p in parameters if p.grad is not None))
        before = flat(parameters)
        original(optimizer, *args, **kwargs)
        after = flat(parameters)
        moments = [m for p in parameters for m in optimizer.moments_of(p).values()]
        seen.states_finite.append(finite(after) and all(map(finite, moments)))
        seen.ratios.append(float(np.linalg.norm(after - before) / max(np.linalg.norm(before), 1e-30)))
        seen.training.append(self.model is None or self.model.training)
        if len(seen.ratios) >= self.steps:
            raise EnoughSeenError

    def zero_grad(self, original: Callable[..., Any], optimizer: Any) -> None:
        """How often."""
        self.seen.zeroed += 1
        original(optimizer)

    def fit(self, original: Callable[..., Any], model: Any, data: Any, *args: Any, **kwargs: Any) -> Any:
        """Its data; and no plan, in which steps could not be seen."""
        self.seen.data, self.seen.validation = data, kwargs.get("validation")
        return original(model, data, *args, **kwargs | {"compile": False})


def around(original: Callable[..., Any], mine: Callable[..., Any]) -> Callable[..., Any]:
    """A function in the place of another, which it is given first."""
    return lambda *args, **kwargs: mine(original, *args, **kwargs)


def flat(parameters: list[Any]) -> np.ndarray:
    """All parameters as one row."""
    return np.concatenate([p.numpy().ravel().astype(np.float64) for p in parameters])


def finite(array: np.ndarray) -> bool:
    """Whether all numbers are finite."""
    return bool(np.isfinite(array).all())
