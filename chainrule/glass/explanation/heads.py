"""Attention inside, head by head: queries, keys, values, scores, weights, results, and dL/d of each.

Scores, weights and results are the ledger's; queries, keys and values are those of the layer's own operations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from chainrule.core import Graph, Tensor
from chainrule.glass.explanation.differences import Check, Onwards, Part, check
from chainrule.glass.explanation.run import Run, mark
from chainrule.glass.ledgers.attention import heads
from chainrule.glass.record import Call
from chainrule.ops.masks import NO_BAND, Band, band_mask

KERNELS = ("masked_softmax", "attention")
"""What takes scores to weights: with the weights at hand, or block by block without them."""


@dataclass(frozen=True, eq=False)
class Attention:
    """One attention, (…, heads, T, d); a single one without heads has one.

    `values` are by the ledger's names, "scores", "weights", "heads" and with a d in front their derivatives, and "Q",
    "K", "V", "dQ", "dK", "dV"; "dropped" are the weights that dropout has left. `tensors` are those of them that stand
    in the graph. `visible` says which query sees which key, None where each sees all; `added` is a mask of
    numbers. `by_head` says what a third axis from behind is: heads, or the sequences of attention without heads.
    """

    run: Run
    values: dict[str, np.ndarray]
    tensors: dict[str, Tensor]
    by_head: bool
    visible: np.ndarray | None
    added: np.ndarray | None
    causal: bool

    @property
    def number(self) -> int:
        """How many heads there are."""
        return self.values["Q"].shape[1]

    @property
    def width(self) -> int:
        """d, the width of a query of one head."""
        return self.values["Q"].shape[-1]

    @property
    def root(self) -> float:
        """√d."""
        return sqrt(self.width)

    def at(self, name: str, head: int) -> np.ndarray:
        """A quantity of one head, (n, T, …)."""
        return self.values[name][:, head]

    def side_by_side(self, name: str) -> np.ndarray:
        """A quantity of all heads, (n, T, heads · d)."""
        value = np.moveaxis(self.values[name], 1, 2)
        return value.reshape(*value.shape[:2], -1)

    def check(self, name: str, head: int) -> Check | None:
        """dL/d(quantity) of one head against differences; None where it was never held."""
        if name not in self.tensors:
            return None
        tensor = self.tensors[name]
        if name in ("Q", "K", "V") and self.is_shared:
            return self._check_alone(name, head)
        place = (slice(None), head) if tensor.ndim == 4 else (head,) if tensor.ndim == 3 and self.by_head else ()
        part = Part(self.run.replay, tensor, place)
        return check(part, np.ones(part.result.shape), part.start, self.run.tape.gradient(tensor)[place])

    @property
    def is_shared(self) -> bool:
        """Whether queries, keys or values are one tensor, whose derivative is the sum of theirs."""
        return len({mark(self.tensors[name]) for name in ("Q", "K", "V")}) < 3

    def _check_alone(self, name: str, head: int) -> Check | None:
        """The same where one tensor has several roles: the product that this role is a factor of is made anew."""
        if "product" not in self.tensors:
            return None
        q, k, v = (np.asarray(self.tensors[role].data) for role in "QKV")
        weights = np.asarray(self.tensors["dropped" if "dropped" in self.tensors else "weights"].data)
        again: dict[str, Any] = {
            "Q": lambda values: values @ np.swapaxes(k, -1, -2),
            "K": lambda values: q @ np.swapaxes(values, -1, -2),
            "V": lambda values: weights @ values,
        }
        onwards = Onwards(self.run.replay, self.tensors["heads" if name == "V" else "product"], again[name])
        start = Tensor({"Q": q, "K": k, "V": v}[name]).requires_grad_()
        return check(onwards, np.ones(onwards.result.shape), start, self.values[f"d{name}"].reshape(start.shape))


def attention(run: Run, call: Call) -> Attention:
    """What is inside of an attention layer, or of attention called as a function."""
    if call not in run.worked:
        run.worked[call] = _attention(run, call)
    return run.worked[call]


def _attention(run: Run, call: Call) -> Attention:
    nodes = [node for node in Graph(call.output) if node.primitive is not None and node.path == _path(call)]
    kernel = next(node for node in reversed(nodes) if node.name in KERNELS)
    by_head = call.module is not None
    values = {name: _with_heads(value, by_head) for name, value in _ledgers(run, kernel)}
    tensors = dict(_operands(kernel, nodes))
    for name, tensor in tensors.items():
        if name in ("Q", "K", "V", "dropped"):
            values[name] = _with_heads(np.asarray(tensor.data), by_head)
            values[f"d{name}"] = _with_heads(run.tape.gradient(tensor), by_head)
    if len({mark(tensors[role]) for role in "QKV"}) < 3:
        values |= _apart(values)
    return Attention(run, values, tensors, by_head, *_masks(kernel, values["scores"].shape, by_head))


def _apart(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """dL/dQ, dL/dK and dL/dV, each for its own role: dS K/√d, dSᵀ Q/√d, Aᵀ dO."""
    q, k, ds, do = (values[name] for name in ("Q", "K", "dscores", "dheads"))
    a, root = values.get("dropped", values["weights"]), sqrt(q.shape[-1])
    return {"dQ": ds @ k / root, "dK": np.swapaxes(ds, -1, -2) @ q / root, "dV": np.swapaxes(a, -1, -2) @ do}


def _path(call: Call) -> str:
    return call.path if call.module is not None else call.output.node.path


def _ledgers(run: Run, kernel: Any) -> Iterator[tuple[str, np.ndarray]]:
    """The ledger's reading of this one attention: a model's own function may call several."""
    before = [n for n in run.tape.by_path[kernel.path] if n.name in KERNELS and n.serial < kernel.serial]
    end = f"_{len(before) + 1}" if before else ""
    for name, value in heads(run.tape, kernel.path):
        if name.removesuffix(end) in NAMES and name.endswith(end):
            yield name.removesuffix(end), value


NAMES = ("scores", "dscores", "weights", "dweights", "heads", "dheads")


def _operands(kernel: Any, nodes: list[Any]) -> Iterator[tuple[str, Tensor]]:
    """The tensors that a quantity stands for in the graph."""
    if kernel.name == "attention":
        yield from zip("QKV", kernel.args, strict=False)
        yield "heads", Tensor(kernel.value[0], kernel.trace, kernel, 0)
        return
    scores = kernel.args[0]
    product = scores.node
    while product.name != "matmul":
        product = product.args[0].node  # a mask of numbers was added
    yield "scores", scores  # before they are divided by √d, or behind the mask that was added
    yield "product", Tensor(product.value, product.trace, product)
    yield "Q", product.args[0]
    yield "K", product.args[1].node.args[0]
    yield "weights", Tensor(kernel.value, kernel.trace, kernel)
    users = {kernel.serial}
    for node in nodes:
        if node.serial > kernel.serial and any(getattr(p, "serial", -1) in users for p in node.parents):
            if node.name == "matmul":
                if node.args[0].node is not kernel:
                    yield "dropped", node.args[0]
                yield "V", node.args[1]
                yield "heads", Tensor(node.value, node.trace, node)
                return
            users.add(node.serial)


def _with_heads(value: np.ndarray, by_head: bool) -> np.ndarray:
    """(n, heads, T, …) of what may lack sequences or heads."""
    if value.ndim == 3 and not by_head:
        return value[:, None]
    return value.reshape((1,) * (4 - value.ndim) + value.shape)


def _masks(kernel: Any, shape: tuple[int, ...], by_head: bool) -> tuple[np.ndarray | None, np.ndarray | None, bool]:
    """What is visible, what is added to the scores, and whether a query sees only what came before."""
    given = kernel.args[1:] if kernel.name == "masked_softmax" else kernel.args[3:]
    band: Band = kernel.params["band"]
    visible = [_with_heads(np.asarray(getattr(m, "data", m)), by_head) for m in given]
    visible += [] if band == NO_BAND else [band_mask(shape[-2], shape[-1], band)]
    added = None
    if kernel.name == "masked_softmax" and kernel.args[0].node.name == "add":
        mask = kernel.args[0].node.args[1]
        added = _with_heads(np.asarray(getattr(mask, "data", mask)), by_head)
    whole = np.broadcast_to(np.logical_and.reduce(visible), shape) if visible else None
    return whole, None if added is None else np.broadcast_to(added, shape), band == (None, 0) and len(visible) == 1
