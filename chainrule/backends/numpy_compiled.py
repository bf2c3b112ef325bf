"""NumPy's kernels with compiled ones in front: for large arrays of float32 that suit them, NumPy's for all others."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import numpy as np

from chainrule.backends.numpy_convolution import out_size

Kernel = Callable[..., Any]
Shape = tuple[int, ...]

SMALLEST = 4096
"""Entries of the largest operand from which on a compiled kernel is called: to pack its arguments takes some 10 µs."""


def _windows(size: Any, kernel: Any, settings: dict[str, Any]) -> tuple[int, ...]:
    return out_size(size, kernel, settings["stride"], settings["padding"], settings["dilation"])


def _states(x: Any, h0: Any, *wide: int) -> list[Shape]:
    """Results of all steps, some of them several times as wide as the state."""
    return [(*x.shape[:-1], k * h0.shape[-1]) for k in wide]


def _of_weights(x: Any, u: Any) -> list[Shape]:
    """The gradients of W, U and one bias."""
    return [(*u.shape[:-1], x.shape[-1]), u.shape, u.shape[:-1]]


SHAPES: dict[str, Callable[..., Shape | list[Shape]]] = {
    "conv": lambda x, w, **s: (len(x), len(w), *_windows(x.shape[2:], w.shape[2:], s)),
    "conv_transpose": lambda y, w, *, size, groups, **s: (len(y), w.shape[1] * groups, *size),
    "conv_weight": lambda x, y, *, kernel, groups, **s: (y.shape[1], x.shape[1] // groups, *kernel),
    "fold": lambda y, *, size, **s: (*y.shape[:2], *size),
    "gru": lambda x, h0, *rest, **s: _states(x, h0, 1, 4),
    "gru_back": lambda h_bar, a_bar, h, a, x, h0, u, *mask, **s: [
        *_states(x, h0, 3),
        h0.shape,
        *_of_weights(x, u),
        u.shape[:-1],
    ],
    "lstm": lambda x, h0, *rest, **s: _states(x, h0, 1, 1, 4),
    "lstm_back": lambda h_bar, c_bar, a_bar, h, c, a, x, h0, c0, u, *mask, **s: [
        a.shape,
        h0.shape,
        c0.shape,
        *_of_weights(x, u),
    ],
    "max_pool": lambda x, *, windows: (*x.shape[:2], *map(len, windows)),
    "max_pool_spread": lambda y_bar, x, y, *, windows: x.shape,
    "resample": lambda x, *, axis, windows: (*x.shape[:axis], len(windows), *x.shape[x.ndim + axis + 1 :]),
    "rnn": lambda x, h0, *rest, **s: _states(x, h0, 1)[0],
    "rnn_back": lambda h_bar, h, x, h0, u, *mask, **s: [h.shape, h0.shape, *_of_weights(x, u)],
    "unfold": lambda x, *, kernel, **s: (*x.shape[:2], *kernel, *_windows(x.shape[2:], kernel, s)),
}
"""The primitives that are served so, with the shape of their result, or those of several."""


def compiled(kernel: Kernel) -> Kernel:
    """A kernel that gives its work to the compiled one of its name where there is one, and it suits the arrays."""
    name = kernel.__name__.rstrip("_")
    if name not in SHAPES:
        return kernel

    @wraps(kernel)
    def serve(*args: Any, out: Any = None, **settings: Any) -> Any:
        if args[0].dtype != np.float32 or max(a.size for a in args) < SMALLEST:
            return kernel(*args, out=out, **settings)
        y = _places(SHAPES[name](*args, **settings), args[0].dtype) if out is None else out
        run = _runner(name)(*args, *(y if type(y) is tuple else (y,)), **settings)
        if run is None:
            return kernel(*args, out=out, **settings)
        run()
        return y

    return serve


def _places(shapes: Shape | list[Shape], dtype: Any) -> Any:
    """Arrays for the results: a tuple of them where there are several."""
    return tuple(np.empty(s, dtype) for s in shapes) if isinstance(shapes, list) else np.empty(shapes, dtype)


@cache
def _runner(name: str) -> Callable[..., Callable[[], Any] | None]:
    """What makes a function of arrays and settings that runs the compiled kernel, or None; loaded at its first use."""
    from chainrule.backends.native.calls import runner
    from chainrule.backends.native.kernels import RULES
    from chainrule.backends.native.library import loaded

    def made(*arrays: Any, **settings: Any) -> Callable[[], Any] | None:
        call = RULES[name](*arrays, **settings)
        return None if call is None else runner([call])

    return made if loaded() is not None else lambda *arrays, **settings: None
