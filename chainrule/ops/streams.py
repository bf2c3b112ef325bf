"""Numbers from random streams: an array from one stream, or, inside `vmap`, from the stream of each example."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.backends import into, is_host, looked_at, place_of, placed
from chainrule.base.errors import DtypeError
from chainrule.base.keys import Key
from chainrule.base.source import caller
from chainrule.core.batch import leading
from chainrule.core.example_keys import ExampleKey
from chainrule.core.families import general
from chainrule.core.spec import UnknownNumbersError
from chainrule.core.stack import next_key, stack
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
    if key is None and stack.recorder is not None:
        return _recorded(kind, tuple(shape), np.dtype(dtype))
    key = next_key() if key is None else key
    if isinstance(key, ExampleKey):
        return draw(*key.numbers, kind=kind, key=key.template, shape=tuple(shape), dtype=np.dtype(dtype))
    return KINDS[kind](key.generator(), shape).astype(dtype, copy=False)


def _recorded(kind: str, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """Numbers that every run of a plan draws anew, by the key of its own stream."""
    if isinstance(stack.key, ExampleKey):
        raise UnknownNumbersError(
            "Numbers are drawn for each example of vmap, which a plan cannot renew.",
            line=caller(),
            fix='randomness="same", or the step without cr.compile',
        )
    return stack.recorder.drawn(lambda key: KINDS[kind](key.generator(), shape).astype(dtype, copy=False), shape, dtype)


def constant(kind: str, shape: tuple[int, ...], dtype: Any, key: Any = None) -> Tensor:
    """The same as a tensor in the default place."""
    values = drawn(kind, shape, dtype, key)
    return values if isinstance(values, Tensor) else Tensor(placed(values))


@general
def draw(*numbers: Any, kind: str, key: Key, shape: tuple[int, ...], dtype: np.dtype, out: Any = None) -> Any:
    """An array from a stream for each entry of the numbers, which fill the holes of the key. (…) gives (…, *shape).

    The streams are NumPy's for all libraries, so that equal seeds give equal numbers; what was drawn is then moved.
    """
    on_host = [_host(n) for n in numbers]
    y = np.empty((*on_host[0].shape, *shape), dtype)
    for place in np.ndindex(on_host[0].shape):
        stream = key.filled([int(n[place]) for n in on_host]).generator()
        y[place] = KINDS[kind](stream, shape)
    return into(out, y if is_host(numbers[0]) else place_of(numbers[0]).array(y))


def _host(numbers: Any) -> np.ndarray:
    found = looked_at(numbers)
    if found is None:
        raise DtypeError(
            "Random numbers are drawn for each example of vmap inside jax.jit, which compiles no draws of NumPy.",
            fix="vmap outside of jax.jit, or the random numbers as an argument",
        )
    return found


draw.vjps(None)
draw.shape(lambda *numbers, shape, **settings: (*numbers[0].shape, *shape))
draw.dtype(lambda *numbers, dtype, **settings: dtype)
leading(draw)
draw.formula(r"y_k = \varepsilon(\text{key}, k)")
