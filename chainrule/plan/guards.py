"""What a plan took for granted while it was recorded, so that a change is noticed and said in words.

Arguments are compared at every call. Everything else is looked at again only after something has changed in some
module (the stack counts that), but for plain numbers that the step finds outside of itself, which are few.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from chainrule.core.stack import Stack
from chainrule.core.tensor import Tensor
from chainrule.plan.record import Recorder, is_data

PLAIN = (bool, int, float, str, type(None))
DEPTH = 3
"""How deep functions that the step calls by name are searched for numbers from outside."""

Signature = tuple[Any, ...]


def signature(leaves: Sequence[Any]) -> Signature:
    """What tells calls of a step apart: shape and dtype of arrays, the value of anything else."""
    return tuple([(a.shape, a.dtype) if type(a) is np.ndarray or is_data(a) else _value(a) for a in leaves])


def _value(a: Any) -> Any:
    return (type(a), a) if isinstance(a, PLAIN) else (type(a), id(a))


def difference(old: Signature, new: Signature) -> str:
    """In words, how the arguments of two calls differ."""
    if len(old) != len(new):
        return f"the step was called with {len(new)} arguments, before with {len(old)}"
    for i, (a, b) in enumerate(zip(old, new, strict=True)):
        if a == b:
            continue
        if isinstance(a[0], tuple) and isinstance(b[0], tuple):
            return f"argument {i}: {_changed_array(a, b)}"
        return f"argument {i} is another value"
    return "the arguments are the same"


def _changed_array(a: Any, b: Any) -> str:
    (old, before), (new, now) = (a, b)
    if before != now:
        return f"dtype {before} → {now}"
    if len(old) != len(new):
        return f"{len(old)} axes → {len(new)}: {tuple(old)} → {tuple(new)}"
    return ", ".join(f"axis {k}: {m} → {n}" for k, (m, n) in enumerate(zip(old, new, strict=True)) if m != n)


class Guards:
    """The facts of one recording; `broken()` says which no longer holds."""

    def __init__(self, recorder: Recorder, functions: Sequence[Callable[..., Any]]) -> None:
        self.looks = Stack.looks
        self.arrays = [(part, array, _name(recorder, part)) for part, array in recorder.taken if _fixed(part)]
        self.modules = [(m, _looks(m)) for m in recorder.modules]
        self.grads = [(leaf, bool(filled)) for leaf, filled in recorder.depends]
        forwards = {type(m).forward for module in recorder.modules for m in module.modules()}
        self.numbers = [found for function in (*functions, *forwards) for found in _numbers(function, DEPTH)]

    def broken(self) -> str:
        """In words, what has changed; empty where nothing has."""
        for find, before, name in self.numbers:
            if (now := find()) is not before and now != before:
                return f"the {type(before).__name__} {name!r} that the step uses: {before} → {now}"
        for leaf, filled in self.grads:
            if bool(leaf.filled) is not filled:
                return (
                    "there were gradients before the step" if leaf.filled else "there were no gradients before the step"
                )
        if self.looks == Stack.looks:
            return ""
        found = self._looked_again()
        if not found:
            self.looks = Stack.looks
        return found

    def _looked_again(self) -> str:
        for part, array, name in self.arrays:
            if part.value is not array:
                return f"the array of {name} was replaced"
        for module, before in self.modules:
            now = _looks(module)
            if now != before:
                return _changed_module(before, now)
        return ""


def _fixed(part: Tensor) -> bool:
    """Parameters stay where they are; buffers are fetched anew in every step."""
    return part.node is not None


def _name(recorder: Recorder, part: Tensor) -> str:
    names = recorder.state[id(part)].names
    return names[0] if names else f"a parameter of shape {part.shape}"


def _looks(module: Any) -> dict[str, Any]:
    """What of a model decides how it runs: its parts, its modes, and its plain attributes, by path."""
    found: dict[str, Any] = {}
    for path, m in module.named_modules():
        for name, value in vars(m).items():
            if isinstance(value, (*PLAIN, tuple)) and name != "task":
                found[f"{path}.{name}" if path else name] = value
        found[f"{path}.training" if path else "training"] = m.training
        found[f"{path} "] = id(m)
    for name, p in module.named_parameters():
        found[f"{name} "] = (id(p), p.requires_grad)
    return found


def _changed_module(before: dict[str, Any], now: dict[str, Any]) -> str:
    for name in {**before, **now}:
        if before.get(name) != now.get(name):
            if name.endswith(" "):
                return f"the model has another {name.strip() or 'structure'}, or it was frozen or freed"
            return f"{name}: {before.get(name)} → {now.get(name)}"
    return "the model changed"


def _numbers(step: Any, depth: int) -> Iterator[tuple[Callable[[], Any], Any, str]]:
    """Plain values that a function takes from around it: how to find each, its value, its name."""
    function = getattr(step, "__func__", step)
    if not isinstance(function, types.FunctionType):
        yield from _attributes(step)
        return
    if depth == 0:
        return
    if (function.__module__ or "").startswith("chainrule."):  # code without a module has None
        return
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    around = [(name, _cell(cell)) for name, cell in cells]
    around += [(n, _entry(function.__globals__, n)) for n in function.__code__.co_names if n in function.__globals__]
    for name, find in around:
        value = find()
        if isinstance(value, PLAIN):
            yield find, value, name
        elif isinstance(value, types.FunctionType):
            yield from _numbers(value, depth - 1)


def _attributes(function: Any) -> Iterator[tuple[Callable[[], Any], Any, str]]:
    """Plain values that an object which is called like a function keeps."""
    for name, value in getattr(function, "__dict__", {}).items():
        if isinstance(value, PLAIN):
            yield partial(getattr, function, name, None), value, name


def _cell(cell: Any) -> Callable[[], Any]:
    def find() -> Any:
        try:
            return cell.cell_contents
        except ValueError:  # not yet assigned
            return None

    return find


def _entry(names: dict[str, Any], name: str) -> Callable[[], Any]:
    return lambda: names.get(name)
