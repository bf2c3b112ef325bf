"""Whether Python code does nothing but compute, so that recording it once is enough.

A plan runs the operations of a step, not its Python: a counter, a print, a draw from Python's own random numbers would
happen only once. `impurity` looks at code without running it, and would rather find too much than too little; it is
asked where nobody has asked for a plan (`fit`), not where somebody has (`cr.compile`).
"""

from __future__ import annotations

import builtins
import dis
import functools
import math
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.backends import is_array
from chainrule.core.tensor import Tensor

PLAIN = (bool, int, float, str, bytes, type(None), type(Ellipsis), np.dtype, np.generic)
HARMLESS = frozenset({
    "abs", "all", "any", "bool", "dict", "divmod", "enumerate", "filter", "float", "frozenset", "getattr", "hasattr",
    "int", "isinstance", "len", "list", "map", "max", "min", "object", "pow", "range", "reversed", "round", "set",
    "slice", "sorted", "str", "sum", "super", "tuple", "type", "zip",
    "ArithmeticError", "AssertionError", "Exception", "IndexError", "KeyError", "NotImplementedError", "RuntimeError",
    "TypeError", "ValueError",
})  # fmt: skip
"""Built-in names that have no effect."""
CHANGES = frozenset({
    "append", "extend", "insert", "pop", "remove", "clear", "update", "setdefault", "popitem", "write", "seed",
    "random", "shuffle",
})  # fmt: skip
"""Methods that change what they are called on, or are drawn from what is not followed."""
STORES = {"STORE_GLOBAL", "DELETE_GLOBAL", "STORE_ATTR", "DELETE_ATTR", "STORE_SUBSCR", "DELETE_SUBSCR", "IMPORT_NAME"}
"""Bytecode that changes something outside of the function, or may."""


def impurity(function: Any, seen: frozenset[int] = frozenset()) -> str:
    """In words, what a function may do besides computing; empty where that is nothing."""
    if id(function) in seen:
        return ""
    seen = seen | {id(function)}
    if isinstance(function, functools.partial):
        parts = (function.func, *function.args, *function.keywords.values())
        return next(filter(None, (_of_value("an argument", p, seen) for p in parts)), "")
    if isinstance(function, types.MethodType):
        return impurity(function.__func__, seen)
    if _is_ours(function):
        return ""
    if not isinstance(function, types.FunctionType):
        call = vars(type(function)).get("__call__")
        return impurity(call, seen) if isinstance(call, types.FunctionType) else f"{function!r} is not Python code"
    return _of_code(function.__code__, function, seen)


def _is_ours(value: Any) -> bool:
    module = getattr(value, "__module__", None) or type(value).__module__
    return module.startswith("chainrule.")


def _of_code(code: types.CodeType, function: types.FunctionType, seen: frozenset[int]) -> str:
    for line in dis.get_instructions(code):
        if line.opname in STORES or (line.opname == "STORE_DEREF" and line.argval in function.__code__.co_freevars):
            return f"{function.__name__} assigns to {line.argval or 'a part of something'}"
    for name in code.co_names:
        if name in CHANGES:
            return f"{function.__name__} calls {name}"
    for name, value in _around(code, function):
        if found := _of_value(name, value, seen):
            return found
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return next(filter(None, (_of_code(c, function, seen) for c in inner)), "")


def _around(code: types.CodeType, function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """What code finds outside of itself, by name."""
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    for name in code.co_freevars:
        if name in cells:
            yield name, _content(cells[name])
    for name in code.co_names:
        if not _is_global(code, name):  # an attribute, as `step` of an optimiser is in a function of that name
            continue
        if name in function.__globals__:
            yield name, function.__globals__[name]
        elif hasattr(builtins, name) and name not in HARMLESS:
            yield name, getattr(builtins, name)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return None


def _is_global(code: types.CodeType, name: str) -> bool:
    return any(i.opname in ("LOAD_GLOBAL", "LOAD_NAME") and i.argval == name for i in dis.get_instructions(code))


def _of_value(name: str, value: Any, seen: frozenset[int]) -> str:
    """The same of something that a function uses."""
    if isinstance(value, (*PLAIN, Tensor)) or is_array(value) or value in (np, math) or _is_ours(value):
        return ""
    if isinstance(value, types.ModuleType):
        return "" if value.__name__.split(".")[0] == "chainrule" else f"it uses the module {value.__name__}"
    if isinstance(value, tuple):
        return next(filter(None, (_of_value(name, v, seen) for v in value)), "")
    if isinstance(value, type):
        return "" if value.__module__ == "builtins" else f"it makes a {value.__name__}"
    if hasattr(value, "named_modules"):
        return model_impurity(value, seen)
    if isinstance(value, (types.FunctionType, types.MethodType, functools.partial)):
        return impurity(value, seen)
    return f"it uses {name}, a {type(value).__name__}"


def model_impurity(model: Any, seen: frozenset[int] = frozenset()) -> str:
    """In words, what the layers of a model may do besides computing; empty where that is nothing."""
    if id(model) in seen:
        return ""
    seen = seen | {id(model)}
    for path, module in model.named_modules():
        own = [module.forward, *(v for v in vars(module).values() if isinstance(v, types.FunctionType))]
        if not _is_ours(type(module)):
            own.append(type(module).__call__)
        for function in own:
            if found := impurity(function, seen):
                return f"{path}: {found}" if path else found
    return ""


def optimizer_impurity(optimizer: Any) -> str:
    """The same of an optimiser: one of this library's, without an update of its own."""
    owned = {name for name in ("update", "step") if name in vars(optimizer)}
    if owned or not _is_ours(type(optimizer)):
        return f"{type(optimizer).__name__} is not an optimiser of this library"
    return ""
