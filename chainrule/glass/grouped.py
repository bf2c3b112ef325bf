"""Operations that belong together: attention called as a function is one step, not the four it is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from chainrule.core import Tensor

ATTENTION = "attention"
"""The name of such a group; attention in blocks is one operation of that name."""


def attentions(nodes: Iterable[Any]) -> Iterator[tuple[Any, tuple[Tensor, ...], set[int]]]:
    """Every attention among some operations: the last product, Q, K and V, and the serials of its parts."""
    among = list(nodes)
    for node in among:
        if node.name == "masked_softmax" and (found := _around(node, among)) is not None:
            yield found


def _around(softmax: Any, among: list[Any]) -> tuple[Any, tuple[Tensor, ...], set[int]] | None:
    """The scores before a softmax over keys, and the product with the values behind it."""
    parts, scores = {softmax.serial}, softmax.args[0].node
    while scores is not None and scores.name in ("add", "multiply") and isinstance(scores.args[0], Tensor):
        parts.add(scores.serial)  # a mask of numbers, and the division by √d before it
        scores = scores.args[0].node
    if scores is None or scores.name != "matmul" or not _is_permuted(scores.args[1]):
        return None
    parts |= {scores.serial, scores.args[1].node.serial}
    last = softmax
    while last.name != "matmul" or last is scores:
        users = [node for node in among if any(parent is last for parent in node.parents)]
        if len(users) != 1 or users[0].name not in ("multiply", "matmul"):  # multiply: the mask of dropout
            return None
        before, last = last, users[0]
        parts.add(last.serial)
        if last.name == "matmul" and last.args[0].node is not before:
            return None
    q, k, v = scores.args[0], scores.args[1].node.args[0], last.args[1]
    if not all(isinstance(x, Tensor) and x.node is not None for x in (q, k, v)):
        return None
    return last, (q, k, v), parts


def _is_permuted(x: Any) -> bool:
    return isinstance(x, Tensor) and x.node is not None and x.node.primitive is not None and x.node.name == "permute"
