"""Group: parameters optimised with the same settings, in one flat buffer, with what is kept for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from chainrule.backends import backend_of, flat_zeros, on_host, put
from chainrule.core.graph import tick
from chainrule.nn import Flat, Parameter
from chainrule.optim.slots import Slot


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
        self.backend = backend_of(self.flat.parameters[0].value)
        self.in_place = self.backend.in_place
        self.is_on_host = on_host(self.flat.parameters[0].value)
        values = self.flat.values
        self.moments: dict[str, Any] = {name: flat_zeros(values, len(values)) for name in kept}
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

    def change(self, update: Callable[..., None], block: slice, t: int, settings: Mapping[str, Any]) -> None:
        """Run an optimiser's `update` on one block."""
        if self.backend.name == "numpy":
            update(*self.at(block, t), **settings)
            return
        theta, g, t, moments, scratch = self.at(block, t)
        places = [Slot(theta), *map(Slot, moments)]
        update(places[0], Slot(g), t, places[1:], list(map(Slot, scratch)), **settings)
        if not self.in_place:
            self.flat.values = _spliced(self.flat.values, block, places[0].array)
            for (name, before), place in zip(self.moments.items(), places[1:], strict=True):
                self.moments[name] = _spliced(before, block, place.array)

    def at(self, block: slice, t: int) -> tuple[Any, ...]:
        """θ, g, t, moments and scratch of one block, as an optimiser's `update` takes them."""
        flat, n = self.flat, block.stop - block.start
        if not self.scratch or len(self.scratch[0]) < n:
            self.scratch = [self.backend.xp.empty_like(flat.values[block]) for _ in range(2)]
        moments = [m[block] for m in self.moments.values()]
        return flat.values[block], flat.grads[block], t, moments, [s[:n] for s in self.scratch]

    def arrays(self) -> dict[str, np.ndarray]:
        """All that a resumed run needs, by name, as NumPy's."""
        sizes = np.array([p.size for p in self.flat.parameters], np.int64)
        moments = {name: np.asarray(self.backend.to_numpy(m)) for name, m in self.moments.items()}
        return {"sizes": sizes, "counts": self.counts, **moments}

    def load(self, arrays: Mapping[str, Any]) -> None:
        """Take over what `arrays` gave."""
        self.counts[:] = arrays["counts"]
        for name, m in self.moments.items():
            self.moments[name] = put(m, arrays[name])


def _spliced(whole: Any, block: slice, part: Any) -> Any:
    return part if block == slice(0, len(whole)) else whole.at[block].set(part)
