"""What can be watched: the spectra and noise of this room, each function as a callback."""

from __future__ import annotations

from typing import Any, Literal

from chainrule.base.keys import Key
from chainrule.glass.spectra.curvature import KEY, Loss, hessian_density, hessian_eigenvalues, hessian_trace
from chainrule.glass.spectra.lags import lag_curve
from chainrule.glass.spectra.layer_spectra import layer_singular_values
from chainrule.glass.spectra.noise import gradient_noise_scale
from chainrule.glass.spectra.watch import Watch

Every = int | None


class WatchJacobian(Watch):
    """Records `layer_singular_values` of a layer, or of the network: {"singular_values": a row for each example}."""

    def __init__(
        self,
        x: Any,
        path: str = "",
        k: int | None = None,
        method: Literal["exact", "lanczos"] | None = None,
        *,
        key: Key = KEY,
        every_steps: Every = None,
        every_epochs: Every = 1,
    ) -> None:
        super().__init__(
            lambda model: {"singular_values": layer_singular_values(model, x, path, k, method, key=key)},
            every_steps,
            every_epochs,
        )


class WatchEigenvalues(Watch):
    """Records `hessian_eigenvalues`: {"eigenvalues": [λ₁, …]}, from the end inwards."""

    def __init__(
        self,
        data: Any,
        loss: Loss = None,
        k: int = 1,
        end: Literal["largest", "smallest"] = "largest",
        *,
        key: Key = KEY,
        every_steps: Every = None,
        every_epochs: Every = 1,
    ) -> None:
        super().__init__(
            lambda model: {"eigenvalues": hessian_eigenvalues(model, data, loss, k, end, key=key)},
            every_steps,
            every_epochs,
        )


class WatchTrace(Watch):
    """Records `hessian_trace`: {"trace": …, "standard_error": …}. The probes are the same every time."""

    def __init__(
        self,
        data: Any,
        loss: Loss = None,
        probes: int = 64,
        *,
        key: Key = KEY,
        every_steps: Every = None,
        every_epochs: Every = 1,
    ) -> None:
        def measure(model: Any) -> dict[str, Any]:
            found = hessian_trace(model, data, loss, probes, key=key)
            return {"trace": found.value, "standard_error": found.standard_error}

        super().__init__(measure, every_steps, every_epochs)


class WatchDensity(Watch):
    """Records `hessian_density`: {"nodes": …, "weights": …}, a row for each probe, and "size"."""

    def __init__(
        self,
        data: Any,
        loss: Loss = None,
        probes: int = 8,
        steps: int = 40,
        *,
        key: Key = KEY,
        every_steps: Every = None,
        every_epochs: Every = 1,
    ) -> None:
        def measure(model: Any) -> dict[str, Any]:
            found = hessian_density(model, data, loss, probes, steps, key=key)
            return {"nodes": found.nodes, "weights": found.weights, "size": found.size}

        super().__init__(measure, every_steps, every_epochs)


class WatchNoise(Watch):
    """Records `gradient_noise_scale`: {"noise_scale", "low", "high", "trace", "squared_gradient"}."""

    def __init__(
        self,
        data: Any,
        loss: Loss = None,
        confidence: float = 0.95,
        *,
        every_steps: Every = None,
        every_epochs: Every = 1,
    ) -> None:
        def measure(model: Any) -> dict[str, Any]:
            found = gradient_noise_scale(model, data, loss, confidence)
            bounds = {"low": found.interval.low, "high": found.interval.high}
            parts = {"trace": found.trace, "squared_gradient": found.squared_gradient}
            return {"noise_scale": found.value} | bounds | parts

        super().__init__(measure, every_steps, every_epochs)


class WatchLags(Watch):
    """Records `lag_curve` of a recurrent layer: {"norms": over the lag, "rate": …}, and the radii by weight."""

    def __init__(
        self, data: Any, loss: Loss = None, path: str = "", *, every_steps: Every = None, every_epochs: Every = 1
    ) -> None:
        def measure(model: Any) -> dict[str, Any]:
            found = lag_curve(model, data, loss, path)
            return {"norms": found.norms, "rate": found.rate} | found.radii

        super().__init__(measure, every_steps, every_epochs)
