"""Initialisers: how weights are drawn. Each is a function of a shape and a key.

Fans of a weight (out, in, *kernel): n_in = in · kernel entries, n_out = out · kernel entries. What is named
by its author here and elsewhere: variance 1/n_in is LeCun's (003 §11.2 calls it Glorot's), 2/(n_in + n_out)
is Xavier Glorot's, 2/n_in is Kaiming He's, after ReLU.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod, sqrt

import numpy as np

from chainrule.base.errors import OptionError, ShapeError
from chainrule.base.keys import Key
from chainrule.core.stack import next_key

Shape = tuple[int, ...]
Initializer = Callable[[Shape, Key], np.ndarray]


def fans(shape: Shape) -> tuple[int, int]:
    """Inputs and outputs of one unit, n_in and n_out, of a weight (out, in, *kernel)."""
    if len(shape) < 2:
        raise ShapeError(f"A weight has two axes or more (out, in, ...), this one has shape {shape}.")
    kernel = prod(shape[2:])
    return shape[1] * kernel, shape[0] * kernel


def zeros(shape: Shape, key: Key) -> np.ndarray:
    """All 0."""
    return np.zeros(shape, np.float32)


def ones(shape: Shape, key: Key) -> np.ndarray:
    """All 1."""
    return np.ones(shape, np.float32)


def constant(value: float) -> Initializer:
    """All one number."""
    return lambda shape, key: np.full(shape, value, np.float32)


def normal(std: float = 0.01, mean: float = 0.0) -> Initializer:
    """Normal with a small standard deviation, 0.01 unless said otherwise."""
    return lambda shape, key: (mean + std * key.generator().standard_normal(shape)).astype(np.float32)


def uniform(low: float = -0.05, high: float = 0.05) -> Initializer:
    """Uniform on [low, high)."""
    return lambda shape, key: key.generator().uniform(low, high, shape).astype(np.float32)


def _normal_with(variance: float, shape: Shape, key: Key) -> np.ndarray:
    return normal(sqrt(variance))(shape, key)


def _uniform_with(variance: float, shape: Shape, key: Key) -> np.ndarray:
    """Uniform on ±√(3 variance), whose variance is (2a)²/12 = a²/3."""
    bound = sqrt(3 * variance)
    return uniform(-bound, bound)(shape, key)


def lecun_normal(shape: Shape, key: Key) -> np.ndarray:
    """Normal with variance 1/n_in: keeps the variance through linear layers and SELU. LeCun et al. (1998)."""
    return _normal_with(1 / fans(shape)[0], shape, key)


def lecun_uniform(shape: Shape, key: Key) -> np.ndarray:
    """Uniform on ±√(3/n_in), variance 1/n_in. 003 §11.2."""
    return _uniform_with(1 / fans(shape)[0], shape, key)


def xavier_normal(shape: Shape, key: Key) -> np.ndarray:
    """Normal with variance 2/(n_in + n_out), for sigmoid and tanh. Glorot & Bengio (2010); 004 (70)."""
    return _normal_with(2 / sum(fans(shape)), shape, key)


def xavier_uniform(shape: Shape, key: Key) -> np.ndarray:
    """Uniform on ±√(6/(n_in + n_out)), variance 2/(n_in + n_out). Glorot & Bengio (2010)."""
    return _uniform_with(2 / sum(fans(shape)), shape, key)


def he_normal(shape: Shape, key: Key) -> np.ndarray:
    """Normal with variance 2/n_in, for ReLU: keeps E[z²]. He et al. (2015); 000 (11.6), 004 (71)."""
    return _normal_with(2 / fans(shape)[0], shape, key)


def he_uniform(shape: Shape, key: Key) -> np.ndarray:
    """Uniform on ±√(6/n_in), variance 2/n_in, for ReLU. 003 §11.3."""
    return _uniform_with(2 / fans(shape)[0], shape, key)


def fan_in_uniform(shape: Shape, key: Key) -> np.ndarray:
    """Uniform on ±1/√n_in, variance 1/(3 n_in): what PyTorch's dense and convolution layers start from."""
    return _uniform_with(1 / (3 * fans(shape)[0]), shape, key)


def orthogonal(gain: float = 1.0) -> Initializer:
    """A matrix with orthonormal rows or columns (whichever are fewer) times `gain`. Saxe et al. (2014).

    The Q of a normal matrix, its signs fixed by the diagonal of R, so that it is uniform over the group.
    """

    def draw(shape: Shape, key: Key) -> np.ndarray:
        rows, columns = shape[0], prod(shape[1:])
        flat = key.generator().standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(flat)
        q = q * np.sign(np.diag(r))
        return (gain * (q if rows >= columns else q.T)).reshape(shape).astype(np.float32)

    return draw


glorot_normal, glorot_uniform = xavier_normal, xavier_uniform
kaiming_normal, kaiming_uniform = he_normal, he_uniform

INITIALIZERS: dict[str, Initializer] = {
    "zeros": zeros,
    "normal": normal(),
    "lecun_normal": lecun_normal,
    "lecun_uniform": lecun_uniform,
    "xavier_normal": xavier_normal,
    "xavier_uniform": xavier_uniform,
    "he_normal": he_normal,
    "he_uniform": he_uniform,
    "fan_in_uniform": fan_in_uniform,
    "orthogonal": orthogonal(),
}
"""Initialisers by name; `constant(value)`, `normal(std)` and `orthogonal(gain)` take settings."""


def draw(init: Initializer | str, shape: Shape) -> np.ndarray:
    """Numbers for a weight, by the next key of the stream.

    Raises:
        OptionError: no initialiser has this name, or it is neither a name nor a function.
    """
    if isinstance(init, str):
        if init not in INITIALIZERS:
            raise OptionError(f"There is no initialiser {init!r}.", known=", ".join(INITIALIZERS))
        init = INITIALIZERS[init]
    if not callable(init):
        raise OptionError(
            f"An initialiser is a name or a function, got {init!r}.",
            fix=f"cr.nn.init.constant({init!r})" if isinstance(init, (int, float)) else '"he_normal"',
        )
    return init(shape, next_key())
