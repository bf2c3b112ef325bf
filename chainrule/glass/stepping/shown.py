"""A stop in a terminal: a line that says where, the formula, every array with its name."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import numpy as np

from chainrule.glass.explanation.figures import GAP, Figures, is_elided, slices, statistics
from chainrule.glass.stepping.events import Value
from chainrule.glass.stepping.stop import Stop

WIDTH = 100
INDENT = "  "
FIGURES = Figures(4)

LONGEST = 28
"""Letters of a name beside what is said of its array; what does not fit beside a longer one stands below it."""


def shown(stop: Stop) -> str:
    """All lines of a stop."""
    lines = textwrap.wrap(headline(stop), WIDTH, subsequent_indent=INDENT)
    if stop.formula:
        lines += textwrap.wrap(stop.formula, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT * 2)
    rows = list(_backward(stop) if stop.phase == "backward" else _given_and_made(stop))
    return "\n".join([*lines, *(line for name, array, said in rows for line in written(name, array, said))])


def headline(stop: Stop) -> str:
    """Where we are, what is done, by which line of the user's code."""
    what = f"{stop.name}({stop.settings})" if stop.settings else stop.name
    if len(stop.names) > 1:
        several = f"{len(stop.names)} operations: {shortened(stop.names)}"
        what = f"{len(stop.names)} updates by {stop.names[0]}" if stop.phase == "update" else several
    layer = f"{stop.path} = {stop.layer}" if stop.layer and stop.layer != stop.path else stop.path
    facts = [f"{stop.phase} {stop.position}/{len(stop.events)}", layer, what, stop.source]
    return "   ".join(filter(None, facts))


def shortened(names: list[str]) -> str:
    """The first names of many."""
    return ", ".join(names) if len(names) <= 6 else f"{', '.join(names[:5])}, …"


Row = tuple[str, np.ndarray, str]


def _given_and_made(stop: Stop) -> Iterator[Row]:
    yield from ((_called(v, stop), v.array, "") for v in stop.given)
    ratio = f"‖Δθ‖/‖θ‖ = {FIGURES.number(stop.ratio)}" if stop.ratio is not None else ""
    yield from ((f"→ {v.name}", v.array, ratio) for v in stop.made)


def _backward(stop: Stop) -> Iterator[Row]:
    yield from ((f"∂L/∂{v.name}", v.array, "") for v in stop.bars)
    for share in stop.passed:
        alone = np.array_equal(share.array, share.total, equal_nan=share.array.dtype.kind == "f")
        said = "" if share.of == 1 else f"share {share.arrived} of {share.of}"
        yield f"→ ∂L/∂{share.name}", share.array, said
        if not alone:
            yield f"  Σ ∂L/∂{share.name}", share.total, "complete" if share.complete else "so far"


def _called(value: Value, stop: Stop) -> str:
    """An operand by its role in the formula and its name, where they differ."""
    apart = len(stop.own) == 1 and value.role and value.role != value.name
    return f"{value.role} = {value.name}" if apart else value.name


def written(name: str, array: np.ndarray, said: str = "") -> list[str]:
    """A name, the shape, and the entries; of a large array some of them, and its smallest, mean and largest."""
    head = f"{INDENT}{name:<{LONGEST}}  "
    below = INDENT * 3
    facts = "   ".join(filter(None, [f"{array.shape}" if array.ndim else "", elided(array), said]))
    if array.size == 1:
        return [f"{head}{FIGURES.number(array.reshape(()))}   {said}".rstrip()]
    if not array.size:
        return [f"{head}{array.shape}, no entries"]
    first = [f"{head}{facts}"] if len(head) + len(facts) <= WIDTH else [head.rstrip(), f"{below}{facts}"]
    return [*first, *(below + line for line in entries(array))]


def elided(array: np.ndarray) -> str:
    """What an array that is not shown whole leaves unsaid."""
    if not is_elided(array) or not array.size or array.dtype.kind not in "fiu":
        return ""
    bad = array.size - int(np.isfinite(array).sum())
    with np.errstate(all="ignore"):
        told = statistics(array[np.isfinite(array)] if 0 < bad < array.size else array, FIGURES)
    return told + (f", {bad} not finite" if bad else "")


def entries(array: np.ndarray) -> Iterator[str]:
    """The entries as rows; of more than two axes a matrix for each place in the leading ones, as many as fit."""
    for one in slices(array):
        if one is None:
            yield GAP
            continue
        indices, values = one
        yield from [indices] if indices else []
        yield from matrix(values, array)


def matrix(values: np.ndarray, among: np.ndarray) -> list[str]:
    """The entries of a matrix as rows, as many as fit, in the format that all of an array have."""
    cells = FIGURES.cells(values, among)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    while sum(widths) + 2 * len(widths) > WIDTH - 10 and len(widths) > 3:
        cells = [[*row[: len(row) // 2 - 1], "…", row[-1]] for row in cells]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells]
