"""The derivative as a sum over paths, for small graphs: the chain rule before anything is reused.

    ∂y/∂x = Σ over paths x = v₀ → v₁ → … → vₖ = y of  ∂vₖ/∂vₖ₋₁ ⋯ ∂v₁/∂v₀        (000 (10.2))

Reverse mode adds up at each node what arrives there, and so takes each edge once; the number of paths doubles
with every reuse. Here all are walked, so that they can be looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from chainrule.base.errors import GradientError
from chainrule.core.graph import Graph
from chainrule.core.tensor import Tensor
from chainrule.core.vocabulary import words

MOST_PATHS = 10_000
"""A few seconds of work."""


@dataclass(frozen=True)
class Path:
    """One way from x to y: its nodes in the order of computation, the local derivatives, and their product.

    A local derivative is a matrix: entries of the result in rows, of the operand in columns. In the product
    those of y stand in rows, those of x in columns.
    """

    nodes: tuple[Any, ...]
    factors: tuple[np.ndarray, ...]

    @property
    def product(self) -> np.ndarray:
        result = self.factors[0]
        for factor in self.factors[1:]:
            result = factor @ result
        return result

    def __str__(self) -> str:
        return " → ".join(node.name for node in self.nodes)


def path_sum(y: Tensor, x: Tensor, most: int = MOST_PATHS) -> Tensor:
    """∂y/∂x by summing over all paths from x to y; of shape (*y.shape, *x.shape), 0 where there is none.

    The same number as reverse mode gives, at the cost of one walk a path: for small graphs, and for seeing.

    Raises:
        GradientError: there are more than `most` paths, a tensor has no history, or it was freed.

    >>> import chainrule as cr
    >>> x = cr.tensor(3.0, requires_grad=True)
    >>> y = x * x + cr.sin(x)
    >>> len(list(cr.paths(y, x)))
    3
    >>> bool(abs(cr.path_sum(y, x) - cr.gradients(y, x)) < 1e-6)
    True
    """
    total = np.zeros((y.size, x.size), np.dtype(y.dtype))
    for path in paths(y, x, most):
        total = total + path.product
    return Tensor(total.reshape((*y.shape, *x.shape)).astype(y.dtype, copy=False))


def paths(y: Tensor, x: Tensor, most: int = MOST_PATHS) -> Iterator[Path]:
    """All ways in which y was made from x, each with its local derivatives. An operand used twice gives two.

    Raises:
        GradientError: there are more than `most`, a tensor has no history, or it was freed.
    """
    count = count_paths(y, x)
    if count > most:
        raise GradientError(
            f"There are {count} paths from x to y, more than {most}.",
            graph=f"{len(Graph(y))} nodes",
            fix="cr.gradients(y, x), which takes every edge once; or most=...",
        )
    return (Path(p.nodes, (*p.factors[:-1], p.factors[-1][_span(y)])) for p in _walk(y.node, x, {}))


def count_paths(y: Tensor, x: Tensor) -> int:
    """The number of paths from x to y, without walking them.

    Raises:
        GradientError: a tensor has no history, or it was freed.
    """
    for name, tensor in (("y", y), ("x", x)):
        if not isinstance(tensor, Tensor) or tensor.node is None:
            raise GradientError(f"{name} has no history.", fix="x.requires_grad_() before y is computed")
    counts: dict[Any, int] = {}
    for node in Graph(y).nodes:  # operands come before their results
        if node.freed:
            raise GradientError(
                "The history of this tensor was freed by an earlier backward().",
                node=f"{node.name} at {node.source}",
                fix="backward(retain_graph=True)",
            )
        counts[node] = 1 if node is x.node else sum(counts[parent] for parent in node.parents)
    return counts[y.node]


def _walk(node: Any, x: Tensor, known: dict[Any, list[tuple[Any, np.ndarray]]]) -> Iterator[Path]:
    """The paths from x to a node, each edge with its local derivative, worked out once."""
    if node is x.node:
        yield Path((node,), (_embedded(np.eye(x.size, dtype=x.dtype), x).T,))
        return
    if node not in known:
        known[node] = list(_edges(node))
    for parent, factor in known[node]:
        for path in _walk(parent, x, known):
            yield Path((*path.nodes, node), (*path.factors, factor))


def _edges(node: Any) -> Iterator[tuple[Any, np.ndarray]]:
    """The operands of a node with the local derivative ∂result/∂operand, row by row in reverse mode."""
    live = [isinstance(a, Tensor) and a.trace is node.trace for a in node.args]
    if not any(live):
        return
    args = [a.value if isinstance(a, Tensor) else a for a in node.args]
    rows = [list(node.primitive.pull(node.value, bar, args, node.params, live)) for bar in _units(node.value)]
    for i, operand in enumerate(node.args):
        if live[i]:
            bars = [np.zeros(operand.size) if row[i] is None else np.reshape(words.plain(row[i]), -1) for row in rows]
            matrix = np.array(bars, dtype=operand.dtype).reshape(len(rows), operand.size)
            yield operand.node, _embedded(matrix, operand)


def _units(value: Any) -> Iterator[Any]:
    """Every unit cotangent of a result, or of several."""
    values = value if type(value) is tuple else (value,)
    for k, part in enumerate(values):
        for i in range(prod(part.shape)):
            bars = [np.zeros(v.shape, v.dtype) for v in values]
            bars[k].flat[i] = 1
            yield tuple(bars) if type(value) is tuple else bars[0]


def _span(x: Tensor) -> slice:
    """Where a tensor stands among the entries of its node, which may have several results."""
    value = getattr(x.node, "value", None)
    if type(value) is not tuple:
        return slice(0, x.size)
    start = sum(prod(v.shape) for v in value[: x.index])
    return slice(start, start + x.size)


def _embedded(matrix: np.ndarray, x: Tensor) -> np.ndarray:
    """Columns for x as columns for all results of its node."""
    value = getattr(x.node, "value", None)
    if type(value) is not tuple:
        return matrix
    wide = np.zeros((len(matrix), sum(prod(v.shape) for v in value)), matrix.dtype)
    wide[:, _span(x)] = matrix
    return wide
