"""The numbers of a model by name: taken out, and put in again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from chainrule.backends import backend_of, is_array
from chainrule.base.errors import DtypeError, OptionError, ShapeError
from chainrule.core.vocabulary import words

MOST = 6
"""Names shown in a message; a large model has hundreds."""


def parts(module: Any) -> dict[str, Any]:
    """Parameters and buffers by path, each under the first of its names."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def aliases(module: Any) -> dict[str, Any]:
    """Parameters and buffers under all their names, where one is held in several places."""
    kept = {id(part) for part in parts(module).values()}
    return {name: part for name, part in _everywhere(module, "", ()) if id(part) in kept}


def _everywhere(module: Any, path: str, above: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    for name, part in module._parts():
        full = f"{path}.{name}" if path else name
        if not hasattr(part, "named_modules"):
            yield full, part
        elif all(part is not m for m in (*above, module)):
            yield from _everywhere(part, full, (*above, module))


def load(module: Any, state: Mapping[str, Any]) -> None:
    """Overwrite parameters and buffers; see `Module.load_state_dict`."""
    kept = parts(module)
    known = kept if kept.keys() == state.keys() else aliases(module)
    given = {id(known[name]) for name in known.keys() & state.keys()}
    missing = [name for name, part in kept.items() if id(part) not in given]
    unknown = [name for name in state if name not in known]
    if missing or unknown:
        advice = _renamed(missing, unknown)
        raise OptionError(
            "The state does not belong to this model.", missing=_some(missing), unknown=_some(unknown), **advice
        )
    arrays = {name: _fitting(name, known[name], value) for name, value in state.items()}
    for name, array in arrays.items():
        known[name].assign(array)


def _fitting(name: str, part: Any, value: Any) -> np.ndarray:
    value = words.plain(value)
    array = np.asarray(backend_of(value).to_numpy(value) if is_array(value) else value)
    if array.dtype.kind not in "fbiu":
        raise DtypeError(f"{name} is made of numbers, the state has {array.dtype}.")
    if array.shape != part.shape:
        turned = array.ndim > 1 and array.shape[::-1] == part.shape
        matrix = f'state["{name}"].T (weights are (outputs, inputs))'
        fix = matrix if turned else "a model of the sizes that the state was saved from"
        raise ShapeError(f"{name} has shape {part.shape} here and {array.shape} in the state.", fix=fix)
    return array


def _renamed(missing: list[str], unknown: list[str]) -> dict[str, str]:
    """What to try where the names differ by what they begin with, or where the state holds more than the model."""
    if unknown and not missing:
        return {"try": "{name: state[name] for name in model.state_dict()}, if the rest is not needed"}
    for longer, shorter, change in (
        (unknown, missing, "name.removeprefix({!r})"),
        (missing, unknown, "{!r} + name"),
    ):
        prefix = longer[0].removesuffix(shorter[0]) if longer and shorter else ""
        if prefix and [prefix + name for name in shorter] == longer:
            return {"try": f"{{{change.format(prefix)}: value for name, value in state.items()}}"}
    return {}


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:MOST]) or "nothing"
    return f"{shown} and {len(names) - MOST} more" if len(names) > MOST else shown
