"""Gradients of the parameters example by example: the share of the batch's gradient that came through each one.

An operation that uses a parameter has δ, the derivative of the loss by its result, for every example of the batch.
What its rule makes of the δ of one example alone is that example's share,

    dL/dθ = Σᵢ gᵢ,   gᵢ = δᵢ ⊗ aᵢ for a dense layer, Σ over places or steps of it for a convolution or a recurrence,

and one batched call of the rule gives all shares. They sum to the batch's gradient also where examples meet, as in a
batch norm: δ has that in it already.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from chainrule.base.errors import OptionError
from chainrule.core import Tensor, vmap
from chainrule.glass.ledgers.one_step import Tape, array
from chainrule.glass.ledgers.rows import Layout, Rows

ROUNDING = 1e4  # sums of thousands of terms, in another order; what is wrong is wrong by much more
Share = tuple[np.ndarray, "Layout | None"]
"""A cotangent: (n, *shape) with no layout, or the batch's own with the layout of the examples in it."""


class Shares:
    """The gradients gᵢ (n, *shape) of all parameters of a step, found at once when one is first asked for."""

    def __init__(self, tape: Tape, n: int, axis: int = 0) -> None:
        self.tape, self.n, self.rows = tape, n, Rows(tape, n, axis)
        self.arrived: dict[Any, list[Share]] = defaultdict(list)
        self.lost: dict[Any, Any] = {}
        self._spread()

    def of(self, p: Tensor, name: str) -> np.ndarray:
        """(n, *shape) of one parameter.

        Raises:
            OptionError: an operation on the way mixes the examples, so that shares cannot be told apart.
        """
        if p.node in self.lost:
            node = self.lost[p.node]
            raise OptionError(
                f"The gradient of {name} cannot be told apart by examples.",
                operation=repr(node).strip("<>"),
                cause="in its result no axis belongs to the examples of the batch, one after the other",
            )
        found = self.arrived.get(p.node)
        shares = sum_of([bar for bar, _ in found]) if found else np.zeros((self.n, *p.shape), p.dtype)
        whole = self.tape.gradient(p)
        if np.isfinite(whole).all() and not _equal(shares.sum(0), whole, np.abs(shares).sum(0)):
            raise OptionError(
                f"The gradient of {name} cannot be told apart by {self.n} examples.",
                cause="the shares found do not sum to it, so the batch does not lie along the axis it was looked for",
                fix="ledger(..., batch_axis=1), where x is (time, batch, features)",
            )
        return shares

    def _spread(self) -> None:
        for node in reversed(self.tape.nodes):
            if node.primitive is None or not any(p in self.rows.learned for p in node.parents):
                continue
            if node in self.rows.learned:
                self._through(node)
            else:
                self._into(node)
        for leaf in list(self.arrived):
            if leaf.primitive is None and any(layout is not None for _, layout in self.arrived[leaf]):
                self.lost.setdefault(leaf, leaf)

    def _into(self, node: Any) -> None:
        """From an operation between data and parameters to the operands that are made of parameters alone."""
        layouts = self.rows.layouts.get(node, (None,))
        places = [self.rows.operand(node, i) for i in range(len(node.args))]
        for j, a in enumerate(node.args):
            if not isinstance(a, Tensor) or a.node not in self.rows.learned:
                continue
            if not all(layouts):
                self._lose(a.node, node)
            elif self._is_by_row(node, a, layouts[0]):
                self._give(a, (array(self._pulled(node, j)), layouts[0]))
            elif node.name == "affine":
                self._give(a, (self._affine(node, j, layouts[0]), None))
            else:
                self._give(a, (self._of_rule(node, j, layouts, places), None))

    def _is_by_row(self, node: Any, a: Tensor, layout: Any) -> bool:
        """Whether an operand made of parameters has an axis of examples itself, as after a broadcast."""
        if not layout.fits(tuple(a.shape), self.n) or len(a.shape) != len(np.shape(self._value(node))):
            return False
        batched = node.name == "matmul" and layout.axis < len(a.shape) - 2
        return node.primitive.family == "elementwise" or batched or (node.primitive.family == "linear")

    def _value(self, node: Any) -> Any:
        return node.value[0] if type(node.value) is tuple else node.value

    def _bars(self, node: Any) -> list[np.ndarray]:
        count = len(node.value) if type(node.value) is tuple else 1
        return [array(self.tape.bars[node, i]) for i in range(count)]

    def _args(self, node: Any) -> list[np.ndarray]:
        return [self.tape.numbers(a) for a in node.args]

    def _pulled(self, node: Any, j: int) -> Any:
        """The rule of an operation on the whole batch, for operand j."""
        return _pull(node, self._bars(node), self._args(node), j)

    def _affine(self, node: Any, j: int, layout: Layout) -> np.ndarray:
        """δ ⊗ a, summed over the entries of an example; of the bias δ itself."""
        delta = layout.apart(self._bars(node)[0], self.n)
        delta = delta.reshape(self.n, -1, delta.shape[-1])
        if j == 2:
            return delta.sum(1)
        a = layout.apart(node.args[0], self.n)
        return np.matmul(np.swapaxes(delta, -1, -2), a.reshape(self.n, -1, a.shape[-1]))

    def _of_rule(self, node: Any, j: int, layouts: tuple[Any, ...], places: list[Any], bars: Any = None) -> np.ndarray:
        """The rule of an operation on every example by itself, in one batched call."""
        values = node.value if type(node.value) is tuple else (node.value,)
        bars = self._bars(node) if bars is None else bars
        ys = [layout.apart(v, self.n) for layout, v in zip(layouts, values, strict=True)]
        y_bars = [layout.apart(b, self.n) for layout, b in zip(layouts, bars, strict=True)]
        mapped = {str(i): p.apart(node.args[i], self.n) for i, p in enumerate(places) if p is not None}

        def share(ys: Any, y_bars: Any, data: Any) -> Any:
            args = [data[str(i)] if str(i) in data else self.tape.numbers(a) for i, a in enumerate(node.args)]
            return _pull(node, y_bars, args, j, ys)

        return array(vmap(share)(ys, y_bars, mapped))

    def _through(self, node: Any) -> None:
        """From the result of an operation on parameters alone to its operands."""
        for bar, layout in self.arrived.pop(node, []):
            for j, a in enumerate(node.args):
                if isinstance(a, Tensor) and a.node in self.rows.learned:
                    share = self._back(node, j, bar, layout)
                    self._give(a, share) if share else self._lose(a.node, node)
        if node in self.lost:
            for parent in node.parents:
                self._lose(parent, self.lost[node])

    def _back(self, node: Any, j: int, bar: np.ndarray, layout: Layout | None) -> Share | None:
        """The cotangent of operand j, of every example where that of the result is so."""
        args = self._args(node)
        if layout is None:
            return array(vmap(lambda b: _pull(node, [b], args, j))(bar)), None
        if node.name == "broadcast_to":
            return self._gathered(bar, layout, args[j].shape)
        constants = [self._constant(a, layout, bar.ndim) for a in node.args]
        if any(constants) and node.name == "matmul":  # with a first state of zeros
            return self._of_rule(node, j, (layout,), constants, [bar]), None
        shown = [layout if i == j and layout.fits(a.shape, self.n) else None for i, a in enumerate(args)]
        keeps = node.primitive.family == "elementwise" or (
            node.primitive.family == "linear" and self.rows.probed(node, shown) == (layout,)
        )
        return (array(_pull(node, [bar], args, j)), layout) if shown[j] and keeps else None

    def _constant(self, a: Any, layout: Layout, ndim: int) -> Layout | None:
        """The layout of an operand without history that lies as the result does."""
        x = array(a)
        own = not isinstance(a, Tensor) or a.node is None
        return layout if own and x.ndim == ndim and layout.fits(x.shape, self.n) else None

    def _gathered(self, bar: np.ndarray, layout: Layout, shape: tuple[int, ...]) -> Share:
        """Back through a broadcast to a shape: sums along the axes that were repeated, but for the examples."""
        front = bar.ndim - len(shape)
        repeated = [i for i in range(bar.ndim) if i < front or shape[i - front] != bar.shape[i]]
        if layout.axis not in repeated:
            return bar.sum(tuple(repeated)).reshape(shape), Layout(layout.axis - front, layout.k)
        rows = layout.apart(bar, self.n)  # (n, …, k, …)
        return rows.sum(tuple(i + 1 for i in repeated)).reshape(self.n, *shape), None

    def _give(self, a: Tensor, share: Share) -> None:
        self.arrived[a.node].append(share)

    def _lose(self, parameter: Any, node: Any) -> None:
        self.lost[parameter] = node


def _equal(a: np.ndarray, b: np.ndarray, scale: np.ndarray) -> bool:
    """Whether sums agree up to rounding, of terms of a size."""
    most = max(float(scale.max(initial=0.0)), float(np.abs(b).max(initial=0.0)))
    return float(np.abs(a - b).max(initial=0.0)) <= ROUNDING * np.finfo(b.dtype).eps * most


def sum_of(arrays: list[np.ndarray]) -> np.ndarray:
    """Σ of arrays of one shape."""
    total = arrays[0]
    for more in arrays[1:]:
        total = total + more
    return total


def _pull(node: Any, bars: Any, args: Any, j: int, ys: Any = None) -> Any:
    """The cotangent of operand j of an operation."""
    several = type(node.value) is tuple
    ys = ([array(v) for v in node.value] if several else [array(node.value)]) if ys is None else ys
    y, bar = (tuple(ys), tuple(bars)) if several else (ys[0], bars[0])
    needed = [i == j for i in range(len(args))]
    return list(node.primitive.pull(y, bar, args, node.params, needed))[j]
