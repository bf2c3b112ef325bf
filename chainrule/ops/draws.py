"""Random draws by key: the same key gives the same numbers. Without one, the next key of the stream (`cr.seed`).

A draw is a constant of every derivative. Where a result should be differentiable in its distribution's
parameters, it is written as a smooth function of them and of a draw that does not depend on them: mean + std · ε
(reparameterisation; Kingma & Welling 2014), or a softmax in place of a choice (Gumbel-softmax).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backends import dtype_of, kind_of, looked_at
from chainrule.base.errors import DataError, OptionError
from chainrule.base.keys import Key
from chainrule.core.spec import Spec
from chainrule.core.tensor import Tensor
from chainrule.core.vocabulary import words
from chainrule.ops.operands import DEFAULT_FLOAT, broadcast_shapes, operand
from chainrule.ops.ordering import argmax
from chainrule.ops.streams import constant

Shape = tuple[int, ...] | None


def _setting(shape: Shape, *parameters: Any) -> tuple[tuple[int, ...], Any]:
    """The shape of the draw and its dtype: those of the parameters where no shape is given."""
    arrays = [p for p in parameters if isinstance(p, Tensor) or words.is_array(p)]
    floats = [dtype_of(a) for a in arrays if kind_of(a) == "f"]
    given = tuple(broadcast_shapes(*(tuple(a.shape) for a in arrays))) if arrays else ()
    return given if shape is None else tuple(shape), np.result_type(*floats) if floats else DEFAULT_FLOAT


def normal(mean: Any = 0.0, std: Any = 1.0, shape: Shape = None, key: Key | None = None) -> Any:
    """Draws from the normal distribution, mean + std · ε, differentiable in mean and std.

    Kingma & Welling (2014), §2.4. Parameters broadcast; `shape` is that of the result, theirs by default.

    >>> normal(5.0, 0.0, (2,))
    Tensor([5., 5.])
    """
    shape, dtype = _setting(shape, mean, std)
    return words.add(mean, words.multiply(std, constant("normal", shape, dtype, key)))


def uniform(low: Any = 0.0, high: Any = 1.0, shape: Shape = None, key: Key | None = None) -> Any:
    """Draws from the uniform distribution on [low, high), low + (high − low) · u, differentiable in both ends."""
    shape, dtype = _setting(shape, low, high)
    share = constant("uniform", shape, dtype, key)
    return words.add(low, words.multiply(words.subtract(high, low), share))


def bernoulli(p: Any = 0.5, shape: Shape = None, key: Key | None = None) -> Any:
    """Draws that are 1 with probability p, else 0; no derivative.

    Raises:
        DataError: a probability is not between 0 and 1.
    """
    values = words.all_values(operand(p))
    values = None if isinstance(values, Spec) else looked_at(values)
    if values is not None and not np.all((values >= 0) & (values <= 1)):
        raise DataError("A probability is between 0 and 1.", p=f"from {values.min()} to {values.max()}")
    shape, dtype = _setting(shape, p)
    share = constant("uniform", shape, dtype, key)
    return words.astype(words.less(share, words.stop_gradient(operand(p))), dtype)


def gumbel(shape: tuple[int, ...] = (), dtype: Any = np.float32, key: Key | None = None) -> Tensor:
    """Draws from the Gumbel distribution, −ln(−ln u): the noise whose largest entry makes a fair choice."""
    return constant("gumbel", shape, dtype, key)


def _with_gumbel(logits: Any, key: Key | None) -> Any:
    logits = operand(logits)
    shape, dtype = _setting(None, logits)
    return words.add(logits, gumbel(shape, dtype, key))


def categorical(logits: Any, axis: int = -1, key: Key | None = None) -> Any:
    """Class numbers drawn with probability softmax(logits) along an axis; no derivative. By the Gumbel-max trick.

    Shapes: logits (…, classes), result (…). An entry of −∞ is never drawn.
    """
    return argmax(_with_gumbel(logits, key), axis)


def gumbel_softmax(
    logits: Any, temperature: float = 1.0, hard: bool = False, axis: int = -1, key: Key | None = None
) -> Any:
    """A relaxed one-hot draw from softmax(logits): softmax((logits + g) / τ) with Gumbel noise g.

    The lower the temperature τ, the nearer to one-hot. `hard` gives one-hot entries with the derivative of the
    relaxed ones (straight-through). Jang et al. (2017), Maddison et al. (2017).

    Raises:
        OptionError: the temperature is not above 0.
    """
    if temperature <= 0:
        raise OptionError(f"The temperature is above 0, not {temperature}.")
    soft = words.softmax(_with_gumbel(logits, key) / temperature, axis=axis)
    return straight_through(_one_hot_of(soft, axis), soft) if hard else soft


def straight_through(value: Any, slope_of: Any) -> Any:
    """The value of the first, with the derivative of the second: Bengio et al. (2013)."""
    return words.stop_gradient(value) + (slope_of - words.stop_gradient(slope_of))


def _one_hot_of(x: Any, axis: int) -> Any:
    """1 at the first largest entry along an axis, 0 elsewhere."""
    shape = [1] * len(x.shape)
    shape[axis] = -1
    places = np.arange(x.shape[axis]).reshape(shape)
    return words.astype(words.equal(argmax(x, axis, keepdims=True), places), dtype_of(x))


def noise(x: Any, std: float = 1.0, key: Key | None = None) -> Any:
    """x + std · ε with standard normal ε, a draw for each entry: a regulariser against small changes. 000 §8.5."""
    return normal(operand(x), std, key=key)
