"""Pooling layers: which entry of a window won, or what share each has; and where the derivative goes."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from chainrule.core import Tensor
from chainrule.glass.explanation.entries import TERMS, at, indexed, largest, of_batch, written_out
from chainrule.glass.explanation.inside import Inside
from chainrule.glass.explanation.rules import Rule, Term, joined
from chainrule.glass.explanation.run import kind
from chainrule.glass.explanation.signs import Signs
from chainrule.glass.explanation.sliding import combined
from chainrule.glass.explanation.steps import Formula
from chainrule.glass.record import Call
from chainrule.nn import AvgPool1d, AvgPool2d, AvgPool3d, GlobalAvgPool, MaxPool1d, MaxPool2d, MaxPool3d
from chainrule.ops.windows import Windows, adaptive, each_axis, regular

SLIDING = (MaxPool1d, MaxPool2d, MaxPool3d, AvgPool1d, AvgPool2d, AvgPool3d)
"""Layers whose windows have one size; those of the others share the image out."""


class Pools:
    """The windows of a pooling layer: `seen` (places, entries a window) into the image, −1 where there is none.

    `counts` is by how many entries a window's sum is divided to be a mean.
    """

    def __init__(self, call: Call) -> None:
        layer, self.size = call.module, call.inputs[0].shape[2:]
        whole = isinstance(layer, GlobalAvgPool)
        self.places = (1,) * len(self.size) if whole else call.output.shape[2:]
        if layer is None:
            axes = list(call.output.node.params["windows"])
        elif isinstance(layer, SLIDING):
            axes = self._regular(layer)
        else:
            axes = [adaptive(n, m) for n, m in zip(self.size, self.places, strict=True)]
        tables = [np.where(axis.weight > 0, axis.index, -1) for axis in axes]
        self.window = tuple(table.shape[1] for table in tables)
        self.seen = combined(tables, self.size)
        self.counts = self._counts(layer, axes)

    def _regular(self, layer: Any) -> list[Windows]:
        axes = len(self.size)
        kernel, padding = (
            each_axis(layer.kernel_size, axes, "kernel_size"),
            each_axis(layer.padding, axes, "padding", 0),
        )
        stride = kernel if layer.stride is None else each_axis(layer.stride, axes, "stride")
        dilation = each_axis(getattr(layer, "dilation", 1), axes, "dilation")
        self.padding = padding
        settings = zip(self.size, kernel, stride, padding, dilation, self.places, strict=True)
        return [regular(n, k, s, (p, p), d, m) for n, k, s, p, d, m in settings]

    def _counts(self, layer: Any, axes: list[Windows]) -> np.ndarray:
        """Padding counts as entries of a mean, unless the layer says otherwise; what lies beyond it never does."""
        if getattr(layer, "count_include_pad", False):
            ends = (axis.index < n + p for axis, n, p in zip(axes, self.size, self.padding, strict=True))
            along = [inside.sum(1) for inside in ends]
        else:
            along = [(axis.weight > 0).sum(1) for axis in axes]
        counts = along[0]
        for more in along[1:]:
            counts = np.multiply.outer(counts, more)
        return counts.ravel()

    def inside(self, place: int) -> np.ndarray:
        """The entries of a window, counted through."""
        entries = self.seen[place]
        return entries[entries >= 0]

    @property
    def apart(self) -> bool:
        """Whether no entry is in two windows."""
        entries = self.seen[self.seen >= 0]
        return len(np.unique(entries)) == len(entries)

    def flat_place(self, place: tuple[int, ...]) -> int:
        """A place counted through; the one place of global pooling."""
        return int(np.ravel_multi_index(place, self.places)) if place else 0

    def reaching(self, entry: int) -> np.ndarray:
        """The places that see an entry."""
        return np.flatnonzero((self.seen == entry).any(1))


def is_max(call: Call) -> bool:
    """Whether the largest entry counts, or the mean."""
    return kind(call) == "max pooling"


def shares(call: Call, pools: Pools, image: np.ndarray, result: np.ndarray) -> np.ndarray:
    """By how much each entry of a window counts, (places, entries a window): 1 for the winner, or 1/k for a mean."""
    if not is_max(call):
        return (pools.seen >= 0) / pools.counts[:, None]
    values = np.append(image.ravel(), -np.inf)[pools.seen]
    won = values == result.reshape(-1, 1)
    return won / np.maximum(won.sum(1, keepdims=True), 1)


def shared_out(pools: Pools, share: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Numbers of the places, each given to the entries of its window by their shares, and added up: (*size)."""
    image = np.zeros(prod(pools.size) + 1)
    np.add.at(image, pools.seen, share * places.reshape(-1, 1))
    return image[:-1].reshape(pools.size)


def over_images(call: Call, pools: Pools, places: np.ndarray) -> np.ndarray:
    """The same for all samples and channels: (n, c, *size)."""
    x, y = call.inputs[0].data, call.output.data
    result = np.zeros(x.shape)
    for n, c in np.ndindex(x.shape[:2]):
        result[n, c] = shared_out(pools, shares(call, pools, x[n, c], y[n, c]), np.asarray(places[n, c]))
    return result


# Forwards.


def forward(call: Call, signs: Signs) -> Rule:
    """The largest entry of every window, or its mean."""
    x, pools = signs.sign(call.inputs[0]), Pools(call)
    over = " over each channel" if isinstance(call.module, GlobalAvgPool) else ""
    notes = [f"{call.inputs[0].shape} → {call.output.shape}{over}"]
    if is_max(call):
        return rf"\max_{{i \in \mathrm{{window}}}} {indexed(x, 'i')}", None, tuple(notes)
    counts = set(pools.counts.tolist())
    k = counts.pop() if len(counts) == 1 else "k"
    return rf"\tfrac{{1}}{{{k}}} \textstyle\sum_{{i \in \mathrm{{window}}}} {indexed(x, 'i')}", None, tuple(notes)


def inside(call: Call, signs: Signs) -> Iterator[Inside]:
    """The result of largest size with its window, and, of largest entries, which won."""
    pools, place = Pools(call), largest(call.output.data)
    n, c, p = place[0], place[1], pools.flat_place(place[2:])
    image, value = call.inputs[0].data[n, c], call.output.data[place]
    entries = pools.inside(p)
    a, x = of_batch(signs.sign(call.output), place, signs), signs.sign(call.inputs[0])
    found = image.ravel()[entries]
    whole = (pools.seen[p] >= 0).all()
    yield Inside(
        "window", "u", rf"\text{{what }} {a} \text{{ sees of }} {x if signs.single else at(x, (n,))}",
        found.reshape(pools.window) if whole else found, caption=f"the window of ${a}$, the result of largest size",
        notes=() if whole else ("what lies beyond the edge is left out",),
    )  # fmt: skip
    if is_max(call):
        yield Inside("entry", a, r"\max u", value, substituted=_listed(found), notes=_winner(pools, found, entries))
        mask = over_images(call, pools, np.ones(call.output.shape))
        yield Inside(
            "mask", "M", r"\textstyle\sum_p [\text{entry won window } p]", mask,
            caption="which entries won: the derivative goes to these",
            notes=("entries that tie share their window",) if (mask % 1).any() else (),
        )  # fmt: skip
        return
    k = int(pools.counts[p])
    yield Inside(
        "entry", a, rf"\tfrac{{1}}{{{k}}} \textstyle\sum u", value,
        substituted=("(", *joined("+", found), f")/{k}") if len(found) <= TERMS else None,
    )  # fmt: skip


def _listed(numbers: np.ndarray) -> Formula | None:
    if len(numbers) > TERMS:
        return None
    return (r"\max(", *joined(", ", numbers), ")")


def _winner(pools: Pools, found: np.ndarray, entries: np.ndarray) -> tuple[str, ...]:
    """Which entry of the image the largest of a window is."""
    places = [np.unravel_index(entry, pools.size) for entry in entries[found == found.max()]]
    words = " and ".join(f"({', '.join(str(int(i) + 1) for i in place)})" for place in places)
    many = "entries" if len(places) > 1 else "entry"
    return (f"{many} {words} of its channel, counted from 1, won",)


# Backwards.


def inside_back(call: Call, signs: Signs) -> Iterator[Inside]:
    """What the input with the largest derivative gets, from each place that it counts for."""
    x, pools = call.inputs[0], Pools(call)
    if not signs.run.sends_alone(x):
        return
    gradient = signs.run.gradient(x)
    place = largest(gradient)
    n, c = place[:2]
    i = int(np.ravel_multi_index(place[2:], pools.size))
    share = shares(call, pools, x.data[n, c], call.output.data[n, c])
    bars = np.asarray(signs.run.gradient(call.output)[n, c]).ravel()
    places = pools.reaching(i)
    weights = (share * (pools.seen == i)).sum(1)[places]
    one = of_batch(signs.delta(x), place, signs)
    alone = (weights[0], r"\cdot", bars[places][0]) if len(places) == 1 else None
    yield Inside(
        "da_entry", one, _sent(call, signs), gradient[place], substituted=alone,
        expanded=() if alone else written_out(one, weights, bars[places], None, gradient[place]),
        caption="the input with the largest derivative: from each place that sees it its share",
        notes=(f"{len(places)} of {len(pools.seen)} places see it",), check=signs.run.check_entry(x, place),
    )  # fmt: skip


def _sent(call: Call, signs: Signs) -> str:
    bar = signs.delta(call.output)
    which = r"\text{window } p \text{ won}" if is_max(call) else r"\text{window } p"
    return rf"\textstyle\sum_{{{which}}} {indexed(bar, 'p')}" + ("" if is_max(call) else "/k")


def pulled(call: Call, x: Tensor, signs: Signs) -> Term:
    """The derivative goes to the winners, or in equal shares to all entries of a window."""
    pools, bar = Pools(call), signs.run.gradient(call.output)
    if not pools.apart:
        return _sent(call, signs), None
    spread = np.zeros(x.shape)
    for n, c in np.ndindex(x.shape[:2]):
        spread[n, c] = shared_out(pools, (pools.seen >= 0).astype(float), np.asarray(bar[n, c]))
    repeated = rf"\operatorname{{repeated}}({signs.delta(call.output)})"
    if is_max(call):
        mask = over_images(call, pools, np.ones(call.output.shape))
        return rf"M \odot {repeated}", (mask, r"\odot", spread)
    counts = set(pools.counts.tolist())
    if len(counts) > 1:
        return rf"{repeated}/k", None
    k = counts.pop()
    return rf"\tfrac{{1}}{{{k}}} {repeated}", (rf"\tfrac{{1}}{{{k}}} ", spread)
