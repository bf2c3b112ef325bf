"""The derivative of max pooling in PyTorch, for windows that lie side by side; see `chainrule.ops.max_pooling`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import torch

Kernel = Callable[..., Any]


def max_pool_spread(generic: Kernel) -> Kernel:
    """Each cotangent to the largest entries of its window: one pass where no two windows share an entry."""

    def spread(y_bar: Any, x: Any, y: Any, *, windows: Any, out: Any = None) -> Any:
        if not all(map(_lie_side_by_side, windows)):
            return generic(y_bar, x, y, windows=windows, out=out)
        x_bar = torch.empty_like(x, memory_format=torch.contiguous_format) if out is None else out
        covered = tuple(w.index.size for w in windows)
        if covered != tuple(x.shape[2:]):
            x_bar.zero_()  # what no window sees
        seen, filled = _parts(x, windows), _parts(x_bar, windows)
        chosen = [part == y for part in seen]
        count = torch.zeros_like(y)
        for picked in chosen:
            count += picked
        share = y_bar / count.clamp_(min=1)
        for part, picked in zip(filled, chosen, strict=True):
            torch.mul(share, picked, out=part)
        return x_bar

    return spread


def _lie_side_by_side(w: Any) -> bool:
    return np.array_equal(w.index.ravel(), np.arange(w.index.size))


def _parts(x: Any, windows: Any) -> list[Any]:
    """For each place in a window a view of what all windows see there."""
    steps = [[slice(k, w.index.size, w.index.shape[1]) for k in range(w.index.shape[1])] for w in windows]
    return [x[(..., *places)] for places in product(*steps)]
