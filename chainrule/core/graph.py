"""The graph as data: nodes with primitive, shapes, module path and source line; printed, walked, drawn."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chainrule.base.source import PACKAGE
from chainrule.core.spec import spec_of
from chainrule.core.stack import stack
from chainrule.core.tensor import Tensor

_serials = itertools.count()


def tick() -> int:
    """The next moment in time: nodes are numbered by it, and changes in place are dated by it."""
    return next(_serials)


class Node:
    """One application of a primitive: operands, settings, result, and where it happened.

    `serial` grows with time, so that descending serials are a topological order from result to leaves.
    """

    __slots__ = ("args", "code", "lasti", "params", "path", "primitive", "serial", "trace", "value")

    grad = None

    def __init__(self, primitive: Any, args: Any, params: Any, value: Any, trace: Any) -> None:
        self.primitive = primitive
        self.args = args
        self.params = params
        self.value = value
        self.trace = trace
        self.serial = tick()
        self.path = stack.path[-1] if stack.path else ""
        frame = sys._getframe(3)
        while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
            frame = frame.f_back
        self.code, self.lasti = (frame.f_code, frame.f_lineno) if frame else (None, 0)

    @property
    def name(self) -> str:
        return self.primitive.name

    @property
    def shape(self) -> Any:
        """The shape of the result, or the shapes where there are several; known after the history is freed."""
        if type(self.value) is tuple:
            return tuple(spec_of(v).shape for v in self.value)
        return spec_of(self.value).shape

    @property
    def source(self) -> str:
        """The line of the user's code that asked for it, as `file:line`."""
        return f"{Path(self.code.co_filename).name}:{self.lasti}" if self.code else ""

    @property
    def freed(self) -> bool:
        """Whether a backward pass has given back what the derivative needs."""
        return self.args is None

    def free(self) -> None:
        """Give back the operands and the result; shapes stay."""
        self.args = None
        self.value = tuple(map(spec_of, self.value)) if type(self.value) is tuple else spec_of(self.value)

    @property
    def parents(self) -> list[Any]:
        """The nodes that this one was computed from, in the order of its arguments."""
        return [a.node for a in self.args or () if isinstance(a, Tensor) and a.trace is self.trace]

    def __repr__(self) -> str:
        where = f" in {self.path}" if self.path else ""
        return f"<{self.name} {self.shape}{where} at {self.source}>"


class Leaf:
    """A tensor that the user made and whose gradient is wanted. Gradients accumulate here.

    `written` dates the last change of its values in place: nodes made before it cannot be differentiated.
    """

    __slots__ = ("grad", "label", "serial", "shape", "trace", "written")

    primitive = None
    args = ()
    path = ""
    source = ""
    freed = False
    parents: tuple[Any, ...] = ()

    def __init__(self, trace: Any, shape: tuple[int, ...], label: str = "") -> None:
        self.trace = trace
        self.shape = shape
        self.label = label
        self.serial = tick()
        self.written = -1
        self.grad: Tensor | None = None

    @property
    def name(self) -> str:
        return self.label or "leaf"

    def accumulate(self, bar: Any) -> None:
        """Add a cotangent to the gradient; the first one is copied, for it may be shared or read-only."""
        if self.grad is None:
            self.grad = bar if isinstance(bar, Tensor) else Tensor(bar + 0)
        else:
            self.grad = self.grad + bar

    def __repr__(self) -> str:
        return f"<{self.name} {self.shape}>"


class Graph:
    """Everything a tensor was made from, as a list of nodes from the leaves to the result.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0], requires_grad=True)
    >>> print(cr.graph((x * x).sum()).table(sources=False))
    0  leaf      (2,)
    1  multiply  (2,)  from 0, 0
    2  sum       ()    from 1
    """

    def __init__(self, *results: Tensor) -> None:
        found: dict[int, Any] = {}
        waiting = [r.node for r in results if r.node is not None]
        while waiting:
            node = waiting.pop()
            if node.serial not in found:
                found[node.serial] = node
                waiting.extend(node.parents)
        self.nodes = [found[serial] for serial in sorted(found)]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    @property
    def edges(self) -> list[tuple[int, int]]:
        """Pairs (parent, child) of positions in `nodes`; a value used twice gives two edges."""
        position = {node.serial: i for i, node in enumerate(self.nodes)}
        return [(position[p.serial], position[n.serial]) for n in self.nodes for p in n.parents]

    def table(self, sources: bool = True) -> str:
        """One line a node: number, operation, shape, parents, module path, source line."""
        position = {node.serial: i for i, node in enumerate(self.nodes)}
        rows = []
        for i, node in enumerate(self.nodes):
            parents = ", ".join(str(position[p.serial]) for p in node.parents)
            row = [str(i), node.name, str(node.shape), f"from {parents}" if parents else "", node.path]
            rows.append([*row, node.source] if sources else row)
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))] if rows else []
        lines = ("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows)
        return "\n".join(line.rstrip() for line in lines)

    def __str__(self) -> str:
        return self.table()


def graph(*results: Tensor) -> Graph:
    """The graph of one or more tensors, as data."""
    return Graph(*results)
