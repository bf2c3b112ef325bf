"""Numbers from random streams: an array from one stream, or, inside `vmap`, from the stream of each example."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.backends import into, placed
from chainrule.base.keys import Key
from chainrule.core.batch import leading
from chainrule.core.example_keys import ExampleKey
from chainrule.core.families import general
from chainrule.core.stack import next_key
from chainrule.core.tensor import Tensor

KINDS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]] = {
    "normal": lambda stream, shape: stream.standard_normal(shape),
    "uniform": lambda stream, shape: stream.random(shape),
    "uniform_single": lambda stream, shape: stream.random(shape, dtype=np.float32),
    "gumbel": lambda stream, shape: stream.gumbel(size=shape),
}
"""What can be drawn: standard normal, uniform on [0, 1) with 53 and with 24 bits, Gumbel."""


def drawn(kind: str, shape: tuple[int, ...], dtype: Any, key: Any = None) -> Any:
    """An array drawn by a key, that of the next draw where none is given; a tensor where examples have their own."""
    key = next_key() if key is None else key
    if isinstance(key, ExampleKey):
        return draw(*key.numbers, kind=kind, key=key.template, shape=tuple(shape), dtype=np.dtype(dtype))
    return KINDS[kind](key.generator(), shape).astype(dtype, copy=False)


def constant(kind: str, shape: tuple[int, ...], dtype: Any, key: Any = None) -> Tensor:
    """The same as a tensor in the default place."""
    values = drawn(kind, shape, dtype, key)
    return values if isinstance(values, Tensor) else Tensor(placed(values))


@general
def draw(*numbers: Any, kind: str, key: Key, shape: tuple[int, ...], dtype: np.dtype, out: Any = None) -> Any:
    """An array from a stream for each entry of the numbers, which fill the holes of the key. (…) gives (…, *shape)."""
    y = np.empty((*numbers[0].shape, *shape), dtype)
    for place in np.ndindex(numbers[0].shape):
        stream = key.filled([int(n[place]) for n in numbers]).generator()
        y[place] = KINDS[kind](stream, shape)
    return into(out, y)


draw.vjps(None)
draw.shape(lambda *numbers, shape, **settings: (*numbers[0].shape, *shape))
draw.dtype(lambda *numbers, dtype, **settings: dtype)
leading(draw)
draw.formula(r"y_k = \varepsilon(\text{key}, k)")
