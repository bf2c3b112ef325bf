"""Seeing: every number of a network by name, with its formula, and checked; and the spectra of its derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.base.later import later
from chainrule.glass import drawing as draw

if TYPE_CHECKING:
    from chainrule.glass.curvature import hessian_density, hessian_eigenvalues, hessian_trace
    from chainrule.glass.examples import EXAMPLES, one_neuron_chain, tiny_network
    from chainrule.glass.explain import Explanation, Note, explain
    from chainrule.glass.lags import (
        LagCurve,
        lag_curve,
        lag_jacobians,
        recurrent_radii,
        spectral_radius,
        step_jacobians,
    )
    from chainrule.glass.layer_jacobians import (
        depth_jacobians,
        layer_jacobian,
        network_jacobian,
        products_from_input,
        products_to_output,
    )
    from chainrule.glass.layer_spectra import layer_singular_values
    from chainrule.glass.ledger_book import Ledger, ledger
    from chainrule.glass.noise import NoiseScale, gradient_noise_scale, noise_scale_of_batches
    from chainrule.glass.passes import Pass
    from chainrule.glass.quadrature import SpectralDensity
    from chainrule.glass.singular import singular_values
    from chainrule.glass.steps import Step
    from chainrule.glass.trace import TraceEstimate
    from chainrule.glass.watch import Watch
    from chainrule.glass.watches import (
        WatchDensity,
        WatchEigenvalues,
        WatchJacobian,
        WatchLags,
        WatchNoise,
        WatchTrace,
    )

_LATER = {
    "curvature": "hessian_density hessian_eigenvalues hessian_trace",
    "examples": "EXAMPLES one_neuron_chain tiny_network",
    "explain": "Explanation Note explain",
    "lags": "LagCurve lag_curve lag_jacobians recurrent_radii spectral_radius step_jacobians",
    "layer_jacobians": "depth_jacobians layer_jacobian network_jacobian products_from_input products_to_output",
    "layer_spectra": "layer_singular_values",
    "ledger_book": "Ledger ledger",
    "noise": "NoiseScale gradient_noise_scale noise_scale_of_batches",
    "passes": "Pass",
    "quadrature": "SpectralDensity",
    "singular": "singular_values",
    "steps": "Step",
    "trace": "TraceEstimate",
    "watch": "Watch",
    "watches": "WatchDensity WatchEigenvalues WatchJacobian WatchLags WatchNoise WatchTrace",
}

later(__name__, _LATER)

__all__ = [
    "EXAMPLES",
    "Explanation",
    "LagCurve",
    "Ledger",
    "NoiseScale",
    "Note",
    "Pass",
    "SpectralDensity",
    "Step",
    "TraceEstimate",
    "Watch",
    "WatchDensity",
    "WatchEigenvalues",
    "WatchJacobian",
    "WatchLags",
    "WatchNoise",
    "WatchTrace",
    "depth_jacobians",
    "draw",
    "explain",
    "gradient_noise_scale",
    "hessian_density",
    "hessian_eigenvalues",
    "hessian_trace",
    "lag_curve",
    "lag_jacobians",
    "layer_jacobian",
    "layer_singular_values",
    "ledger",
    "network_jacobian",
    "noise_scale_of_batches",
    "one_neuron_chain",
    "products_from_input",
    "products_to_output",
    "recurrent_radii",
    "singular_values",
    "spectral_radius",
    "step_jacobians",
    "tiny_network",
]
