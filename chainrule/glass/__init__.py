"""Seeing: every number of a network by name, with its formula, and checked; and the spectra of its derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.base.later import later
from chainrule.glass import drawing as draw

if TYPE_CHECKING:
    from chainrule.glass.curvature import hessian_density, hessian_eigenvalues, hessian_trace
    from chainrule.glass.diagnosis import Diagnosis, Operand, diagnose
    from chainrule.glass.examples import EXAMPLES, one_neuron_chain, tiny_network
    from chainrule.glass.explain import Explanation, Note, explain
    from chainrule.glass.gaps import Gap
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
    from chainrule.glass.moments import Moment, at
    from chainrule.glass.noise import NoiseScale, gradient_noise_scale, noise_scale_of_batches
    from chainrule.glass.partings import Parting, compare
    from chainrule.glass.passes import Pass
    from chainrule.glass.quadrature import SpectralDensity
    from chainrule.glass.reruns import Rerun
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
    "diagnosis": "Diagnosis Operand diagnose",
    "examples": "EXAMPLES one_neuron_chain tiny_network",
    "explain": "Explanation Note explain",
    "gaps": "Gap",
    "lags": "LagCurve lag_curve lag_jacobians recurrent_radii spectral_radius step_jacobians",
    "layer_jacobians": "depth_jacobians layer_jacobian network_jacobian products_from_input products_to_output",
    "layer_spectra": "layer_singular_values",
    "ledger_book": "Ledger ledger",
    "moments": "Moment at",
    "noise": "NoiseScale gradient_noise_scale noise_scale_of_batches",
    "partings": "Parting compare",
    "passes": "Pass",
    "quadrature": "SpectralDensity",
    "reruns": "Rerun",
    "singular": "singular_values",
    "steps": "Step",
    "trace": "TraceEstimate",
    "watch": "Watch",
    "watches": "WatchDensity WatchEigenvalues WatchJacobian WatchLags WatchNoise WatchTrace",
}

later(__name__, _LATER)

__all__ = [
    "EXAMPLES",
    "Diagnosis",
    "Explanation",
    "Gap",
    "LagCurve",
    "Ledger",
    "Moment",
    "NoiseScale",
    "Note",
    "Operand",
    "Parting",
    "Pass",
    "Rerun",
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
    "at",
    "compare",
    "depth_jacobians",
    "diagnose",
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
