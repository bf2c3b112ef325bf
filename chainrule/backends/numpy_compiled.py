"""NumPy's kernels with compiled ones in front: for large arrays of float32 that suit them, NumPy's for all others."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial, wraps
from typing import Any

import numpy as np

Kernel = Callable[..., Any]

WHOLE = (
    *("attention", "attention_back", "conv", "conv_transpose", "conv_weight", "fold", "gru", "gru_back", "lstm"),
    *("lstm_back", "matmul", "max_pool", "max_pool_spread", "resample", "rnn", "rnn_back", "standardise"),
    *("standardise_back", "unfold"),
)
"""The primitives with a compiled kernel of their own that are worth the call."""

ENTRYWISE = (
    *("choose", "elu", "erf", "exp", "gelu", "gelu_slope", "gelu_tanh", "log", "log1p", "log_sigmoid"),
    *("sigmoid", "silu", "softplus", "tanh"),
)
"""Those entry by entry that NumPy takes several passes or many cycles for; the rest are bound by memory either way."""

SMALLEST = {**dict.fromkeys(WHOLE, 1 << 12), "matmul": 1 << 14, **dict.fromkeys(ENTRYWISE, 1 << 14)}
"""Entries of the largest operand from which on the compiled kernel is called: to pack its arguments takes 10 to 20 µs.

Products are among them not because these were faster, but because the threads of NumPy's BLAS, once awake, spin for a
while and stand in the way of those here: a step of a transformer takes 49 ms with all large products here, 60 without.
"""


def compiled(kernel: Kernel, primitive: Any) -> Kernel:
    """A kernel that gives its work to the compiled one where there is one, and it suits the arrays."""
    if primitive.name not in SMALLEST:
        return kernel
    name = primitive.name

    @wraps(kernel)
    def serve(*args: Any, out: Any = None, **settings: Any) -> Any:
        if out is None and args[0].dtype == np.float32 and max([a.size for a in args]) >= SMALLEST[name]:
            y = _run()(primitive, args, settings)
            if y is not None:
                return y
        return kernel(*args, out=out, **settings)

    return serve


@cache
def _run() -> Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]:
    """What gives the results of a compiled kernel, or None where there is none; loaded at its first use."""
    from chainrule.backends.native.again import Remembered
    from chainrule.backends.native.chains import entrywise
    from chainrule.backends.native.kernels import RULES
    from chainrule.backends.native.library import loaded

    if loaded() is None:
        return lambda primitive, args, settings: None
    rules = {**RULES, **{name: partial(entrywise, name) for name in ENTRYWISE}}
    remembered = Remembered()
    return lambda primitive, args, settings: remembered.run(primitive, rules[primitive.name], args, settings)
