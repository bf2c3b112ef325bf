"""Steps of optimisers as functions: new parameters and moments from old ones; see `chainrule.optim`.

`numbers` are those of the compiled kernels of the same name (`Optimizer.compiled`): the learning rate may change
without a new compilation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

Numbers = Sequence[Any]


def adam(theta: Any, g: Any, moments: Sequence[Any], numbers: Numbers) -> tuple[Any, ...]:
    """Adam, with a penalty or with decoupled decay."""
    (m, v), (beta1, beta2, eps, step, decay, shrink) = moments, numbers
    g = g + decay * theta
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    return shrink * theta - step * m / (jnp.sqrt(v) + eps), m, v


def sgd(theta: Any, g: Any, moments: Sequence[Any], numbers: Numbers) -> tuple[Any, ...]:
    """Gradient descent with heavy-ball momentum, or without."""
    step, momentum, take, decay, ahead = numbers
    g = g + decay * theta
    if not moments:
        return (theta - step * g,)
    v = momentum * moments[0] + take * g
    return theta - step * v - ahead * g, v


UPDATES = {"adam": adam, "sgd": sgd}
