"""Optimizer: a rule that changes all parameters of a flat buffer at once, along their gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from chainrule.base.errors import DtypeError, GradientError, OptionError, ShapeError
from chainrule.base.source import caller
from chainrule.core.graph import tick
from chainrule.core.spec import UnknownNumbersError
from chainrule.core.stack import stack
from chainrule.nn import Module, Parameter
from chainrule.optim.group import Group
from chainrule.optim.limits import NOT_NEGATIVE, POSITIVE, Limits

Parameters = Module | Parameter | Iterable[Parameter] | Iterable[Mapping[str, Any]]

# Entries updated in one go. A buffer that fits is not cut: each block costs a dozen NumPy calls more, and
# those take longer than better cache use saves (Adam, 235,146 entries: 286 µs whole, 310 µs in four blocks).
# Larger buffers gain a quarter (Adam, 8 million entries: 12.6 ms in blocks of this size, 16.9 ms whole).
BLOCK = 1 << 18


class Optimizer:
    """The state and steps of an optimiser; its mathematics is `update`, in place on slices of flat arrays.

    `parameters` is a module, parameters, or groups of them with settings of their own, as in PyTorch:
    `[{"params": model.backbone, "lr": 1e-4}, {"params": model.head}]`. Parameters without a gradient are left
    as they are, and their step count with them. `lr` may be set at any time; a schedule is one line,
    `optimizer.lr = schedule(optimizer.steps)`; groups with a rate of their own keep its ratio to `lr`.

    Gradients add up over calls of `backward`, so k calls of `(loss / k).backward()` and one `step()` make the
    step of one batch k times as large (gradient accumulation, 000 §13.2.2).

    >>> import chainrule as cr
    >>> from chainrule.optim import SGD
    >>> w = cr.nn.Parameter([3.0, -1.0])
    >>> optimizer = SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    array([ 2.4, -0.8], dtype=float32)

    Raises:
        OptionError: a setting is out of range or unknown, nothing to optimise, or a parameter twice.
        DtypeError: parameters of one group differ in dtype.
    """

    # update(theta, g, t, moments, scratch, *, lr, ...): change θ in place at its step t = 1, 2, .... All
    # arrays are flat slices of one length: `moments` are kept from step to step, in the order of `kept`; the
    # two of `scratch` are free to use; `g` stays as it is. The settings come by keyword.
    update: ClassVar[Callable[..., None]]

    # compiled(t, settings) -> the numbers that the compiled kernel of this name takes after θ, g and the moments;
    # None where these settings need `update`. An optimiser without a kernel has no name. `fused` names the update
    # that other libraries have in one call.
    kernel: ClassVar[str] = ""
    fused: ClassVar[str] = ""
    compiled: ClassVar[Callable[..., tuple[float, ...] | None]] = staticmethod(lambda t, **settings: None)

    formula: ClassVar[str]
    limits: ClassVar[Limits] = {}
    moments: ClassVar[tuple[str, ...]] = ()
    fused_step: Any = None  # the calls of the latest step that fused kernels made

    def __init__(self, parameters: Parameters, lr: float, **settings: Any) -> None:
        self.steps = 0
        self._lr = POSITIVE(type(self).__name__, "lr", lr)
        self.settings = self._checked(settings)
        self.groups = [self._group(**described) for described in self._described(parameters)]
        self._check_disjoint()

    @classmethod
    def kept(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of the arrays that are kept from step to step."""
        return cls.moments

    @classmethod
    def check(cls, settings: Mapping[str, Any]) -> None:
        """Refuse settings that do not go together."""

    def measured(self, gradients: list[np.ndarray]) -> dict[str, Any]:
        """What `update` needs to know of the gradient as a whole, such as its norm."""
        return {}

    # Steps.

    def step(self) -> None:
        """Change every parameter that has a gradient.

        Raises:
            GradientError: none has one, or another optimiser has taken the parameters over.
        """
        if stack.recorder is not None:
            self._refuse_own_step()
            for group in self.groups:
                group.flat.check()
            stack.recorder.act(type(self).__name__, self, self.step, list(self.parameters()))
            return
        if self.kernel and self._stepped():
            return
        runs = [(group, run, t) for group in self.groups for run, t in group.due()]
        if not runs:
            raise GradientError(
                f"No parameter has a gradient, so {type(self).__name__} cannot step.",
                model="if it was made anew after the optimiser, make the optimiser anew too",
                fix="loss.backward() before step(); zero_grad() before backward() or after step()",
            )
        measured = self.measured([group.flat.grads[run] for group, run, _ in runs])
        for group, run, t in runs:
            settings = {**group.settings, "lr": self._lr * group.factor, **measured}
            for block in _blocks(run) if group.in_place else [run]:
                group.change(self.update, block, t, settings)
        self.steps += 1

    def _stepped(self) -> bool:
        """Make the step by fused kernels, if there are any for it; those are loaded with the first step."""
        from chainrule.optim.compiled import stepped

        return stepped(self)

    def _refuse_own_step(self) -> None:
        if type(self).step is not Optimizer.step:
            raise UnknownNumbersError(
                f"{type(self).__name__} has a step method of its own, whose Python a plan would run only once.",
                line=caller(),
                fix="an `update` of its own instead, which plans call",
            )

    def count_steps(self, steps: int = 1) -> None:
        """Count what a plan has made for all parameters."""
        self.steps += steps
        now = tick()
        for group in self.groups:
            group.counts += steps
            for p in group.flat.parameters:
                p.node.written = now

    def compiled_step(self, ahead: int = 0) -> Any:
        """This step as calls of compiled kernels, for plans; None where there is no such kernel.

        `ahead` is how many steps the plan makes with this optimiser before this one.
        """
        from chainrule.optim.compiled import compiled_step

        return compiled_step(self, ahead)

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for group in self.groups:
            group.flat.zero_grad()

    @property
    def lr(self) -> float:
        """The learning rate η, of the groups that have none of their own."""
        return self._lr

    @lr.setter
    def lr(self, value: float) -> None:
        self._lr = NOT_NEGATIVE(type(self).__name__, "lr", value)

    def parameters(self) -> Iterator[Parameter]:
        """All parameters that are optimised, group by group."""
        return (p for group in self.groups for p in group.flat.parameters)

    def moments_of(self, parameter: Parameter) -> dict[str, np.ndarray]:
        """What is kept for one parameter, by name, in its shape: for Adam its m and v. Views, not copies.

        Raises:
            OptionError: the parameter is not among those optimised.
        """
        for group in self.groups:
            for p, place in zip(group.flat.parameters, group.flat.places, strict=True):
                if p is parameter:
                    return {name: m[place].reshape(p.shape) for name, m in group.moments.items()}
        owner = type(self).__name__
        raise OptionError(f"This {owner} does not optimise that parameter of shape {parameter.shape}.")

    # State.

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs to go on bit for bit, beside the parameters and the settings.

        `optimizer`, the class's name; `numbers`, the step count and the learning rate (for JSON); `arrays`,
        flat NumPy arrays by name (for safetensors): for group 0 its parameters' sizes and step counts
        `0.sizes`, `0.counts`, and what the optimiser keeps, such as `0.m`, `0.v`.
        """
        numbers = {"steps": self.steps, "lr": self._lr}
        arrays = {name: np.array(array) for name, array in self._arrays().items()}
        return {"optimizer": type(self).__name__, "numbers": numbers, "arrays": arrays}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state of `state_dict`; nothing changes unless all of it fits.

        Raises:
            OptionError: it is another optimiser's, or arrays are missing or not known here.
            ShapeError, DtypeError: it is of other parameters.
        """
        here, there, numbers = self._arrays(), _part(state, "arrays"), _part(state, "numbers")
        if _part(state, "optimizer") != type(self).__name__:
            raise OptionError(f"The state is of {state['optimizer']}, this optimiser is {type(self).__name__}.")
        _check_arrays(here, there)
        self.lr, self.steps = _part(numbers, "lr"), int(_part(numbers, "steps"))
        for i, group in enumerate(self.groups):
            group.load({name: there[f"{i}.{name}"] for name in group.arrays()})

    def _arrays(self) -> dict[str, np.ndarray]:
        return {f"{i}.{name}": a for i, group in enumerate(self.groups) for name, a in group.arrays().items()}

    # Settings and groups.

    def _checked(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        owner = type(self).__name__
        unknown = sorted(settings.keys() - self.limits.keys())
        if unknown:
            known = ", ".join(["params", "lr", *self.limits])
            raise OptionError(f"{owner} has no setting {unknown[0]!r}.", known=known)
        checked = {name: self.limits[name](owner, name, value) for name, value in settings.items()}
        self.check(checked)
        return checked

    def _described(self, parameters: Parameters) -> list[dict[str, Any]]:
        if isinstance(parameters, (Module, Parameter)):
            return [{"params": parameters}]
        given = list(parameters)
        if given and all(isinstance(item, Mapping) for item in given):
            return [dict(item) for item in given if isinstance(item, Mapping)]
        return [{"params": given}]

    def _group(self, params: Any = None, lr: float | None = None, **own: Any) -> Group:
        owner = type(self).__name__
        if params is None:
            hint = {"try": '{"params": model, "lr": 1e-3}'}
            raise OptionError(f"A group of {owner} needs its parameters.", **hint)
        settings = self._checked({**self.settings, **own})
        factor = 1.0 if lr is None else POSITIVE(owner, "lr", lr) / self._lr
        return Group(_listed(params, owner), factor, settings, self.kept(settings))

    def _check_disjoint(self) -> None:
        seen: dict[int, int] = {}
        for i, group in enumerate(self.groups):
            for p in group.flat.parameters:
                if id(p) in seen:
                    groups = f"{seen[id(p)]} and {i}"
                    raise OptionError(f"A parameter of shape {p.shape} is in two groups, {groups}.")
                seen[id(p)] = i

    def __repr__(self) -> str:
        settings = ", ".join(f"{k}={v}" for k, v in {"lr": self._lr, **self.settings}.items())
        return f"{type(self).__name__}({settings})"


def _blocks(run: slice) -> Iterator[slice]:
    for start in range(run.start, run.stop, BLOCK):
        yield slice(start, min(start + BLOCK, run.stop))


def _listed(params: Any, owner: str) -> list[Parameter]:
    params = params.parameters() if isinstance(params, Module) else params
    listed = [params] if isinstance(params, Parameter) else list(params)
    for i, p in enumerate(listed):
        if not isinstance(p, Parameter):
            raise OptionError(
                f"{owner} optimises Parameters, got a {type(p).__name__} at place {i}.",
                fix="model, model.parameters(), or cr.nn.Parameter(array)",
            )
    return listed


def _part(state: Mapping[str, Any], name: str) -> Any:
    if name not in state:
        raise OptionError(f"An optimiser's state has no {name!r}.", has=", ".join(state) or "nothing")
    return state[name]


def _check_arrays(here: Mapping[str, np.ndarray], there: Mapping[str, Any]) -> None:
    missing, unknown = sorted(here.keys() - there.keys()), sorted(there.keys() - here.keys())
    if missing or unknown:
        raise OptionError(
            "The state does not belong to this optimiser.",
            missing=", ".join(missing) or "nothing",
            unknown=", ".join(unknown) or "nothing",
        )
    for name, array in here.items():
        if there[name].shape != array.shape:
            raise ShapeError(f"{name} has shape {array.shape} here and {there[name].shape} in the state.")
        if there[name].dtype != array.dtype:
            raise DtypeError(f"{name} is {array.dtype} here and {there[name].dtype} in the state.")
        if name.endswith(".sizes") and not np.array_equal(there[name], array):
            sizes = {"here": array.tolist(), "state": there[name].tolist()}
            raise ShapeError("The parameters have other sizes.", **sizes)
