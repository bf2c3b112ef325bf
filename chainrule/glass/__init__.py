"""Seeing: every number of a network by name, with its formula, and checked; and the spectra of its derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.base.later import later
from chainrule.glass import drawing as draw

if TYPE_CHECKING:
    from chainrule.glass.explanation.examples import EXAMPLES, one_neuron_chain, tiny_network
    from chainrule.glass.explanation.explain import Explanation, Note, explain
    from chainrule.glass.explanation.passes import Pass
    from chainrule.glass.explanation.steps import Step
    from chainrule.glass.faults.diagnosis import Diagnosis, Operand, diagnose
    from chainrule.glass.ledgers.book import Ledger, ledger
    from chainrule.glass.reruns.gaps import Gap
    from chainrule.glass.reruns.moments import Moment, at
    from chainrule.glass.reruns.partings import Parting, compare
    from chainrule.glass.reruns.rerun import Rerun
    from chainrule.glass.spectra.curvature import hessian_density, hessian_eigenvalues, hessian_trace
    from chainrule.glass.spectra.lags import (
        LagCurve,
        lag_curve,
        lag_jacobians,
        recurrent_radii,
        spectral_radius,
        step_jacobians,
    )
    from chainrule.glass.spectra.layer_jacobians import (
        depth_jacobians,
        layer_jacobian,
        network_jacobian,
        products_from_input,
        products_to_output,
    )
    from chainrule.glass.spectra.layer_spectra import layer_singular_values
    from chainrule.glass.spectra.noise import NoiseScale, gradient_noise_scale, noise_scale_of_batches
    from chainrule.glass.spectra.quadrature import SpectralDensity
    from chainrule.glass.spectra.singular import singular_values
    from chainrule.glass.spectra.trace import TraceEstimate
    from chainrule.glass.spectra.watch import Watch
    from chainrule.glass.spectra.watches import (
        WatchDensity,
        WatchEigenvalues,
        WatchJacobian,
        WatchLags,
        WatchNoise,
        WatchTrace,
    )
    from chainrule.glass.verdicts.diagnosing import diagnosing
    from chainrule.glass.verdicts.report import Report

_LATER = {
    "spectra.curvature": "hessian_density hessian_eigenvalues hessian_trace",
    "faults.diagnosis": "Diagnosis Operand diagnose",
    "explanation.examples": "EXAMPLES one_neuron_chain tiny_network",
    "explanation.explain": "Explanation Note explain",
    "reruns.gaps": "Gap",
    "spectra.lags": "LagCurve lag_curve lag_jacobians recurrent_radii spectral_radius step_jacobians",
    "spectra.layer_jacobians": "depth_jacobians layer_jacobian network_jacobian products_from_input products_to_output",
    "spectra.layer_spectra": "layer_singular_values",
    "ledgers.book": "Ledger ledger",
    "reruns.moments": "Moment at",
    "spectra.noise": "NoiseScale gradient_noise_scale noise_scale_of_batches",
    "reruns.partings": "Parting compare",
    "explanation.passes": "Pass",
    "spectra.quadrature": "SpectralDensity",
    "reruns.rerun": "Rerun",
    "spectra.singular": "singular_values",
    "explanation.steps": "Step",
    "spectra.trace": "TraceEstimate",
    "spectra.watch": "Watch",
    "verdicts.diagnosing": "diagnosing",
    "verdicts.report": "Report",
    "spectra.watches": "WatchDensity WatchEigenvalues WatchJacobian WatchLags WatchNoise WatchTrace",
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
    "Report",
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
    "diagnosing",
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
