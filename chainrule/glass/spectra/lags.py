"""Jacobians along time: how far back a recurrent layer's last state still feels its earlier ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base.errors import OptionError, ShapeError
from chainrule.core import jacobian, vjp, vmap
from chainrule.glass.spectra.recurrence import Steps, recurrent_weights
from chainrule.glass.still import as_function, call_at, interposed, module_at, plain
from chainrule.nn import Module
from chainrule.ops import reshape
from chainrule.train.objective import compared, learned


def step_jacobians(layer: Module, x: Any, state: Any = None) -> np.ndarray:
    """∂sₜ/∂sₜ₋₁ for every step of a recurrent layer, a matrix for each example: (T, n, S, S).

    x (n, T, features), or time first where the layer says so. The state s is all that a step hands on: h, of an LSTM
    h and then c, of stacked layers that of all of them; S numbers an example. It starts at `state`, in the form in
    which the layer takes it, or at 0 or what is learned. These are total derivatives: of an LSTM ∂cₜ/∂cₜ₋₁ is more than
    the gate fₜ, for hₜ₋₁ depends on cₜ₋₁ too (004 §4.6.1 holds it fixed). For the plain network
    ∂hₜ/∂hₜ₋₁ = diag(φ'(zₜ)) W_hh: 000 (15.23)-(15.26), 004 §4.5.4. Float64, evaluation mode.

    Raises:
        OptionError: the layer is not recurrent, or does not run forward only.
        ShapeError: x is not a batch of sequences.
    """
    steps = Steps(layer, x, state)

    def of_one(x_t: Any, s: Any) -> Any:
        return reshape(steps(reshape(x_t, (1, -1)), reshape(s, (1, -1))), (-1,))

    each = vmap(jacobian(of_one, argnums=1))
    return np.stack([np.asarray(each(steps.x[:, t], s)) for t, s in enumerate(steps.states()[:-1])])


def lag_jacobians(steps: np.ndarray) -> np.ndarray:
    """∂s_T/∂s_{T−τ} for all lags τ = 0 … T, from the Jacobians of the steps (T, n, S, S): (T + 1, n, S, S).

    The product of the last τ of them, the latest on the left; the identity at lag 0. 000 (15.23), 004 §4.5.4.
    """
    products = [np.broadcast_to(np.eye(steps.shape[-1]), steps.shape[1:])]
    for J in steps[::-1]:
        products.append(products[-1] @ J)
    return np.stack(products)


def spectral_radius(W: Any) -> float:
    """ρ(W) = max |λᵢ| of a square matrix: how powers of it grow in the end, ‖Wᵗ‖^(1/t) → ρ.

    Only in the end, and only of powers. ρ < 1 does not keep early powers small (those of [[½, 10], [0, ½]] have norms
    10.0, 10.0, 7.5 before they decay), and ρ > 1 need not explode, for the slopes of the activation multiply each
    factor: 000 (15.28) and 004 §4.5.4 say more than holds.

    Raises:
        ShapeError: W is not square.

    >>> spectral_radius([[0.5, 10.0], [0.0, 0.5]])
    0.5
    """
    matrix = np.asarray(plain(W))
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ShapeError(f"A spectral radius is that of a square matrix, got shape {matrix.shape}.")
    return float(np.abs(np.linalg.eigvals(matrix)).max())


def recurrent_radii(layer: Module) -> dict[str, tuple[float, ...]]:
    """The spectral radius of every recurrent weight of a layer, by name; one number a gate, in the layer's order.

    Raises:
        OptionError: the layer is not recurrent, or does not run forward only.
    """
    return {name: tuple(map(spectral_radius, gates)) for name, gates in recurrent_weights(layer).items()}


@dataclass(frozen=True, eq=False)
class LagCurve:
    """∂L/∂s_{T−τ} over the lag τ, shape (T + 1, n, S), beside the spectral radii of the layer's weights.

    `norms` is what vanishes or explodes: where the loss looks at the last state alone, its fall per step is `rate`.
    """

    gradients: np.ndarray
    radii: dict[str, tuple[float, ...]]

    @property
    def norms(self) -> np.ndarray:
        """‖∂L/∂s_{T−τ}‖ over the examples together, shape (T + 1,)."""
        return np.sqrt((self.gradients**2).sum(axis=(1, 2)))

    @property
    def rate(self) -> float:
        """The factor per step of the exponential that fits the norms best: of a line through ln ‖∂L/∂s_{T−τ}‖.

        Below 1 the gradient vanishes. For the plain network it is near ρ(W_hh) times the slopes of the activation.
        NaN where fewer than two norms are above zero.
        """
        lags = np.flatnonzero(self.norms > 0)
        if len(lags) < 2:
            return float("nan")
        return float(np.exp(np.polyfit(lags, np.log(self.norms[lags]), 1)[0]))


def lag_curve(
    model: Module, data: Any, loss: Callable[..., Any] | str | None = None, path: str = "", state: Any = None
) -> LagCurve:
    """The gradient of a model's loss at every step of one of its recurrent layers: ∂L/∂s_{T−τ} over the lag τ.

    Backpropagation through time, 000 (15.16), one vector an example: with the loss's own derivative
    in sₜ (at every step whose output it looks at) as ∂L/∂sₜ|direct,

        ∂L/∂sₜ₋₁ = ∂L/∂sₜ₋₁|direct + (∂sₜ/∂sₜ₋₁)ᵀ ∂L/∂sₜ

    `path` is the layer's, empty where it is the model; it is called once, on whole sequences. `data` and `loss` as for
    `cr.fit`. Float64, evaluation mode. 004 §4.5.4.

    Raises:
        OptionError: the layer is not recurrent, does not run forward only, is not called, or skips padded steps.
        ShapeError: it is not given a batch of sequences.
    """
    layer = module_at(model, path)
    dataset, function = learned(data, loss)
    args, kwargs = ((plain(dataset.x),), {}) if layer is model else call_at(model, dataset.x, path)
    if any(v is not None for v in kwargs.values()):
        raise OptionError(f"Steps that are skipped have no derivative of their own: {', '.join(kwargs)}.", layer=path)
    steps = Steps(layer, *args)
    states = steps.states()
    y = plain(dataset.y)

    def loss_of(z: Any) -> Any:  # a layer alone gives a pair
        return function(z, y) if isinstance(z, tuple) else compared(function, z, y)

    bars = _direct(model, layer, steps, states, loss_of, plain(dataset.x))
    for t in range(len(states) - 1, 0, -1):
        pull = vjp(lambda s, t=t: steps(steps.x[:, t - 1], s), states[t - 1])[1]
        bars[t - 1] += np.asarray(pull(bars[t])[0])
    return LagCurve(bars[::-1].copy(), recurrent_radii(layer))


def _direct(model: Any, layer: Any, steps: Steps, states: np.ndarray, loss: Any, x: np.ndarray) -> np.ndarray:
    """The loss's own derivatives in the states, (T + 1, n, S): through the outputs, and the last state."""
    y = states[1:, :, steps.output].swapaxes(0, 1)  # (n, T, hidden)
    y = y if steps.batch_first else y.swapaxes(0, 1)

    def of_outputs(y: Any, last: Any) -> Any:
        with interposed(layer, lambda *_, **__: (y, steps.unpacked(last))):
            return loss(as_function(model)(x))

    y_bar, last_bar = map(np.asarray, vjp(of_outputs, y, states[-1])[1](np.float64(1.0)))
    bars = np.zeros_like(states)
    bars[1:, :, steps.output] = y_bar.swapaxes(0, 1) if steps.batch_first else y_bar
    bars[-1] += last_bar
    return bars
