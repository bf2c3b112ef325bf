"""Group: parameters optimised with the same settings, in one flat buffer, with what is kept for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from chainrule.core.graph import tick
from chainrule.nn import Flat, Parameter


class Group:
    """A flat buffer of parameters with the settings, moments and step counts of its optimiser.

    `factor` is the ratio of its learning rate to the optimiser's. `counts` counts the steps of each
    parameter; one that gets no gradient falls behind, and corrections of early steps (Adam's) stay right for
    it.
    """

    def __init__(
        self, parameters: Iterable[Parameter], factor: float, settings: Mapping[str, Any], kept: Iterable[str]
    ) -> None:
        self.flat = Flat.of(parameters)
        self.factor, self.settings = factor, dict(settings)
        self.moments = {name: np.zeros_like(self.flat.values) for name in kept}
        self.counts = np.zeros(len(self.flat.parameters), np.int64)
        self.scratch: list[np.ndarray] = []

    def due(self) -> list[tuple[slice, int]]:
        """Count a step for each parameter with a gradient: the stretches at the same step, and that step."""
        if not self.flat.runs():
            return []
        stretches: list[tuple[slice, int]] = []
        counts, now = self.counts.tolist(), tick()
        for i, (p, place) in enumerate(zip(self.flat.parameters, self.flat.places, strict=True)):
            if p.node.filled:
                counts[i] += 1
                p.node.written = now
                run, t = stretches[-1] if stretches else (slice(0, -1), 0)
                if (run.stop, t) == (place.start, counts[i]):
                    stretches[-1] = (slice(run.start, place.stop), t)
                else:
                    stretches.append((place, counts[i]))
        self.counts[:] = counts
        return stretches

    def at(self, block: slice, t: int) -> tuple[Any, ...]:
        """θ, g, t, moments and scratch of one block, as an optimiser's `update` takes them."""
        flat, n = self.flat, block.stop - block.start
        if not self.scratch or self.scratch[0].size < n:
            self.scratch = [np.empty_like(flat.values, shape=n) for _ in range(2)]
        moments = [m[block] for m in self.moments.values()]
        return flat.values[block], flat.grads[block], t, moments, [s[:n] for s in self.scratch]

    def arrays(self) -> dict[str, np.ndarray]:
        """All that a resumed run needs, by name; the arrays themselves, but for the sizes."""
        sizes = np.array([p.size for p in self.flat.parameters], np.int64)
        return {"sizes": sizes, "counts": self.counts, **self.moments}
