"""A computational graph as a drawing: operations with shapes and, on request, values and adjoints."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from chainrule.base.errors import DtypeError, GradientError, OptionError
from chainrule.core import Graph, Tensor, gradients
from chainrule.glass.drawing.svg import Box, Drawing, Line, shape_text
from chainrule.glass.explanation.figures import Figures, statistics

MOST = 400
"""Operations beyond which a graph is not a picture any more."""

ROWS, COLUMNS = 4, 4
"""Values of a matrix of at most this size are written out; of a larger one the smallest, mean and largest."""


def graph(
    y: Tensor,
    values: bool = False,
    adjoints: bool = False,
    names: Mapping[str, Tensor] | None = None,
    digits: int = 4,
    path: str | os.PathLike[str] | None = None,
) -> Drawing:
    """The operations that y was made by, from the leaves at the top down to y.

    With `values` each box shows the numbers of its result v, with `adjoints` those of v̄ = ∂y/∂v, summed over all
    paths from v to y (000 (10.3)). What is given, and not differentiated, has a dashed frame and no adjoint.

    Args:
        y: a tensor that remembers how it was made; a scalar where adjoints are asked for.
        values: write the result of each operation.
        adjoints: write the derivative of y with respect to each result.
        names: what tensors are called in the drawing; `dict(model.named_parameters())` names those of a model.
        digits: significant digits of numbers.
        path: where the SVG is saved, if anywhere.

    Raises:
        DtypeError: y is no tensor.
        GradientError: y has no history, its history is freed, or adjoints are asked of a y that is no scalar.
        OptionError: there are more than 400 operations, or the path does not end in .svg.

    >>> import chainrule as cr
    >>> x = cr.tensor(3.0, requires_grad=True)
    >>> cr.draw.graph(x * x, values=True, adjoints=True, names={"x": x}).texts
    ['x', 'scalar', 'value 3', 'adjoint 6', 'multiply', 'scalar', 'value 9', 'adjoint 1']
    """
    found = _Found(_checked(y))
    bars = found.adjoints(y) if adjoints else {}
    called = {t.node.serial: name for name, t in (names or {}).items() if isinstance(t, Tensor) and t.node is not None}
    called_arrays = {id(t.data if isinstance(t, Tensor) else t): name for name, t in (names or {}).items()}
    figures = Figures(digits)
    boxes = []
    for node in found.nodes:
        lines = [Line(called.get(node.serial) or node.name, "name"), *_facts(node, called)]
        if values:
            lines += [Line(text, "value") for text in written("value", found.value(node), figures)]
        if adjoints:
            lines += [Line(text, "adjoint") for text in written("adjoint", bars.get(node.serial), figures)]
        last = node.serial == y.node.serial
        boxes.append(Box(lines, "leaf" if node.primitive is None else "result" if last else "operation"))
    for array in found.given:
        lines = [Line(called_arrays.get(id(array), "given"), "name"), Line(shape_text(np.shape(array)))]
        lines += [Line(text, "value") for text in written("value", array, figures)] if values else []
        boxes.append(Box(lines, "given"))
    drawing = Drawing(f"Computational graph of {called.get(y.node.serial, y.node.name)}", *found.in_order(boxes))
    if path is not None:
        drawing.save(path)
    return drawing


def _checked(y: Any) -> Graph:
    if not isinstance(y, Tensor):
        raise DtypeError(
            f"draw.graph needs a tensor that remembers how it was made, got {type(y).__name__}.",
            fix="give the result of a computation with cr.tensor(..., requires_grad=True)",
        )
    if y.node is None:
        raise GradientError(
            "This tensor has no history to draw: no leaf below it requires a gradient.",
            tensor=f"shape {y.shape}",
            fix="cr.tensor(..., requires_grad=True), or leave the no_grad block",
        )
    found = Graph(y)
    if any(node.primitive is not None and node.args is None for node in found):
        raise GradientError(
            "The history of this tensor is freed, and cannot be drawn any more.",
            tensor=f"{y.node.name} of shape {y.shape}",
            fix="draw it before backward()",
        )
    if len(found) > MOST:
        raise OptionError(
            f"A drawing of {len(found)} operations could not be read; the most is {MOST}.",
            fix="cr.draw.network for a model, or cr.graph(y).table()",
        )
    return found


class _Found:
    """The nodes of a graph, and the arrays that they use and that no gradient is wanted of."""

    def __init__(self, graph: Graph) -> None:
        self.nodes = graph.nodes
        self.edges = graph.edges
        self.given: list[Any] = []
        self.uses: list[tuple[int, int]] = []  # (position in given, position of the node)
        self.leaves: dict[int, Any] = {}
        places: dict[int, int] = {}
        for k, node in enumerate(self.nodes):
            for arg in node.args or ():
                if isinstance(arg, Tensor) and arg.node is not None:
                    self.leaves.setdefault(arg.node.serial, arg)
                elif (array := _array(arg)) is not None:
                    place = places.setdefault(id(array), len(self.given))
                    self.given += [array] if place == len(self.given) else []
                    self.uses.append((place, k))

    def tensor(self, node: Any) -> Tensor | None:
        """The tensor of a node; of a leaf the one that is used, of several results none."""
        if node.primitive is None:
            return self.leaves.get(node.serial)
        return None if type(node.value) is tuple else Tensor(node.value, node.trace, node)

    def value(self, node: Any) -> Any:
        tensor = self.tensor(node)
        return None if tensor is None else tensor.data

    def adjoints(self, y: Tensor) -> dict[int, np.ndarray]:
        if y.size != 1:
            raise GradientError(
                f"Adjoints are derivatives of one number, and this tensor has shape {y.shape}.",
                fix="draw a loss, or y.sum()",
            )
        tensors = {node.serial: y if node is y.node else self.tensor(node) for node in self.nodes}
        asked = {serial: t for serial, t in tensors.items() if t is not None}
        return {serial: bar.data for serial, bar in gradients(y, asked).items()}

    def in_order(self, boxes: list[Box]) -> tuple[list[Box], list[tuple[int, int]]]:
        """Boxes and edges with what is given first, so that edges go from lower numbers to higher ones."""
        n, shift = len(self.nodes), len(self.given)
        edges = [(a + shift, b + shift) for a, b in self.edges] + [(a, b + shift) for a, b in self.uses]
        return boxes[n:] + boxes[:n], edges


def _array(arg: Any) -> Any:
    """The array of an operand without history; what is no array is a setting."""
    if isinstance(arg, Tensor):
        return arg.data
    return arg if hasattr(arg, "shape") and hasattr(arg, "dtype") else None


def _facts(node: Any, called: Mapping[int, str]) -> Iterator[Line]:
    """The operation where the box has another name, the layer, and the shape."""
    if node.serial in called and node.primitive is not None:
        yield Line(f"= {node.name}")
    if node.path and node.primitive is not None:
        yield Line(f"in {node.path}")
    yield Line(shape_text(node.shape))


def written(what: str, array: Any, figures: Figures) -> list[str]:
    """An array in one line or a few: all numbers of a small one, the range of a large one.

    >>> written("value", np.array([1.0, 2.5]), Figures(3)), written("adjoint", np.arange(9.0), Figures(3))
    (['value 1.0 2.5'], ['adjoint', 'min 0, mean 4, max 8'])
    """
    if array is None:
        return [f"{what}: several"]
    array = np.asarray(array)
    if array.ndim == 0:
        return [f"{what} {figures.number(array)}"]
    rows = array.reshape(1, -1) if array.ndim < 2 else array
    if array.ndim > 2 or len(rows) > ROWS or rows.shape[1] > COLUMNS or not array.size:
        return [what, statistics(array, figures)] if array.size else [f"{what}: no numbers"]
    cells = figures.cells(rows)
    widths = [max(len(row[k]) for row in cells) for k in range(len(cells[0]))]
    lines = [" ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in cells]
    return [f"{what} {lines[0]}"] if len(lines) == 1 else [what, *lines]
