"""The Hessian of a model's loss, seen without making it: its outermost eigenvalues, its trace, its spectrum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from chainrule.base.errors import OptionError
from chainrule.base.keys import Key
from chainrule.glass.spectra.lanczos import largest_eigenvalues
from chainrule.glass.spectra.quadrature import SpectralDensity, spectral_quadrature
from chainrule.glass.spectra.surface import Surface
from chainrule.glass.spectra.trace import TraceEstimate, hutchinson
from chainrule.nn import Module
from chainrule.optim.limits import COUNT

KEY = Key(0)
Loss = Callable[..., Any] | str | None


def hessian_eigenvalues(
    model: Module,
    data: Any,
    loss: Loss = None,
    k: int = 1,
    end: Literal["largest", "smallest"] = "largest",
    *,
    key: Key = KEY,
) -> np.ndarray:
    """The k outermost eigenvalues of H = ∂²L/∂θ², from the end inwards, by Lanczos on products H v.

    λ₁ is the sharpness: gradient descent with a learning rate above 2/λ₁ leaves a quadratic minimum. A smallest one
    below 0 shows a direction in which the loss curves down. Parameters that learn, float64, evaluation mode;
    `data` and `loss` as for `cr.fit`. `key` is where the random starts are drawn.

    Raises:
        OptionError: k is not between 1 and the number of parameters, or there is no such end.

    >>> import numpy as np
    >>> import chainrule as cr
    >>> line = cr.nn.Linear(1, 1, bias=False)
    >>> cr.glass.hessian_eigenvalues(line, (np.array([[1.0], [3.0]]), np.zeros((2, 1))), "mse").round(6)
    array([10.])
    """
    if end not in ("largest", "smallest"):
        raise OptionError(f"There is no end {end!r} of a spectrum.", known="largest, smallest")
    surface = Surface(model, data, loss)
    if COUNT("hessian_eigenvalues", "k", k) > surface.size:
        raise OptionError(f"The Hessian of {surface.size} parameters has {surface.size} eigenvalues, got k={k}.")
    sign = 1.0 if end == "largest" else -1.0
    return sign * largest_eigenvalues(lambda v: sign * surface.hessian_product(v), surface.size, k, key)


def hessian_trace(model: Module, data: Any, loss: Loss = None, probes: int = 64, *, key: Key = KEY) -> TraceEstimate:
    """tr H, the sum of all eigenvalues of H = ∂²L/∂θ², by Hutchinson's estimate, with its standard error.

    Each probe costs one product H v. Parameters that learn, float64, evaluation mode; `data` and `loss` as for
    `cr.fit`.

    Raises:
        OptionError: probes is less than 1.
    """
    probes = COUNT("hessian_trace", "probes", probes)
    surface = Surface(model, data, loss)
    return hutchinson(surface.hessian_product, surface.size, probes, key)


def hessian_density(
    model: Module, data: Any, loss: Loss = None, probes: int = 8, steps: int = 40, *, key: Key = KEY
) -> SpectralDensity:
    """The spectral density of H = ∂²L/∂θ²: how its eigenvalues are spread, by stochastic Lanczos quadrature.

    Costs probes × steps products H v, and the memory of `steps` vectors. Parameters that learn, float64, evaluation
    mode; `data` and `loss` as for `cr.fit`.

    Raises:
        OptionError: probes or steps is less than 1.
    """
    probes, steps = COUNT("hessian_density", "probes", probes), COUNT("hessian_density", "steps", steps)
    surface = Surface(model, data, loss)
    return spectral_quadrature(surface.hessian_product, surface.size, probes, steps, key)
