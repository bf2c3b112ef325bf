"""Attention inside: scores, weights and output of every head, and the derivatives of the loss by them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.glass.ledgers.one_step import Tape, array, owned
from chainrule.ops.masks import NO_BAND, band_mask


def heads(tape: Tape, path: str) -> Iterator[tuple[str, np.ndarray]]:
    """Scores S = Q Kᵀ/√d and weights A = softmax(S) (…, heads, T, S), output A V (…, heads, T, d), each with dL/d·."""
    for k, node in enumerate(owned(tape, path, ("masked_softmax", "attention"))):
        found = _whole(tape, node) if node.name == "masked_softmax" else _blockwise(tape, node)
        end = f"_{k + 1}" if k else ""
        yield from ((f"{name}{end}", value) for name, value in found)


def _whole(tape: Tape, node: Any) -> Iterator[tuple[str, np.ndarray]]:
    """Where the weights were held: they, and what was multiplied by them."""
    scale, scores = node.params["scale"], node.args[0]
    yield "scores", array(scores) * np.asarray(scale, array(scores).dtype)
    yield "dscores", tape.gradient(scores) / np.asarray(scale, array(scores).dtype)
    yield "weights", array(node.value)
    yield "dweights", array(tape.bars[node, 0])
    users = [node.serial]
    for later in tape.nodes:
        if later.primitive is None or not any(getattr(p, "serial", -1) == users[-1] for p in later.parents):
            continue
        if later.name == "matmul":
            yield "heads", array(later.value)
            yield "dheads", array(tape.bars[later, 0])
            return
        users.append(later.serial)  # dropout


def _blockwise(tape: Tape, node: Any) -> Iterator[tuple[str, np.ndarray]]:
    """Where the weights were never held: S, A = e^(S − L) and their derivatives, made for looking."""
    q, k, v, *mask = (array(a) for a in node.args)
    band, scores = node.params["band"], (q @ np.swapaxes(k, -1, -2)) * np.asarray(node.params["scale"], q.dtype)
    hidden = [~np.asarray(m) for m in mask] + (
        [] if band == NO_BAND else [~band_mask(scores.shape[-2], scores.shape[-1], band)]
    )
    weights = np.exp(scores - array(node.value[1])[..., None])
    for place in hidden:
        weights = np.where(place, weights.dtype.type(0), weights)
    y_bar = array(tape.bars[node, 0])
    a_bar = y_bar @ np.swapaxes(v, -1, -2)
    yield "scores", scores
    yield "dscores", weights * (a_bar - (weights * a_bar).sum(-1, keepdims=True))
    yield "weights", weights
    yield "dweights", a_bar
    yield "heads", array(node.value[0])
    yield "dheads", y_bar
