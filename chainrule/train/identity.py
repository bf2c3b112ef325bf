"""What makes a run the run it is: settings in words, compared when a checkpoint is resumed."""

from __future__ import annotations

import zlib
from dataclasses import is_dataclass
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from chainrule.train.run import Run


def identity(run: Run) -> dict[str, str]:
    """Everything that decides the numbers of a run, in words by name; `epochs` does not, it may grow."""
    loader = run.loader
    known = {
        "model": repr(run.model),
        "optimiser": optimiser(run.optimizer),
        "seed": run.seed,
        "batch size": loader.batch_size,
        "data order": f"{'shuffled' if loader.shuffle else 'as given'}, seed {loader.seed}",
        "drop_last": loader.drop_last,
        "data": f"{loader.x.shape} with targets {loader.y.shape}, checksum {checksum(loader.x, loader.y)}",
        "callbacks": ", ".join(type(c).__name__ for c in run.remembering) or "none that remember anything",
        **run.settings,
    }
    return {name: in_words(value) for name, value in known.items()}


def difference(before: dict[str, str], now: dict[str, str]) -> str:
    """The first setting that is another, with both values; empty if all are the same."""
    for name in before | now:
        was, is_now = before.get(name, "not set"), now.get(name, "not set")
        if was != is_now:
            lines = zip_longest(was.split("\n"), is_now.split("\n"), fillvalue="nothing")
            was, is_now = next((a.strip(), b.strip()) for a, b in lines if a != b)  # a model has many lines
            return f"{name} was {was}, it is {is_now} now"
    return ""


def optimiser(optimizer: Any) -> str:
    """Its class and the settings of its groups, without the learning rate, which may change in a run."""
    groups = [f"{g.factor:g} × lr, {settings(g.settings)}" for g in getattr(optimizer, "groups", [])]
    alike = len(set(groups)) == 1
    inside = settings(optimizer.groups[0].settings) if alike else "; ".join(groups)
    return f"{type(optimizer).__name__}({inside})"


def settings(values: dict[str, Any]) -> str:
    """Settings as they are written in a call."""
    return ", ".join(f"{name}={value}" for name, value in values.items())


def in_words(value: Any) -> str:
    """A setting as text that is equal in another process: no addresses."""
    if isinstance(value, partial):
        inside = [in_words(value.func), *map(in_words, value.args), settings(value.keywords)]
        return f"partial({', '.join(text for text in inside if text)})"
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (str, int, float)) or is_dataclass(value):
        return str(value)
    return getattr(value, "__qualname__", type(value).__qualname__)


def checksum(*arrays: np.ndarray) -> str:
    """CRC-32 of the values of arrays."""
    total = 0
    for array in arrays:
        total = zlib.crc32(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data, total)
    return f"{total:08x}"
