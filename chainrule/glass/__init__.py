"""Seeing: every number of a network by name, with its formula, and checked; and the spectra of its derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.base.later import later

if TYPE_CHECKING:
    from chainrule.glass.examples import EXAMPLES, one_neuron_chain, tiny_network
    from chainrule.glass.explain import Explanation, Note, explain
    from chainrule.glass.layer_jacobians import (
        depth_jacobians,
        layer_jacobian,
        network_jacobian,
        products_from_input,
        products_to_output,
    )
    from chainrule.glass.passes import Pass
    from chainrule.glass.singular import singular_values
    from chainrule.glass.steps import Step

_LATER = {
    "examples": "EXAMPLES one_neuron_chain tiny_network",
    "explain": "Explanation Note explain",
    "layer_jacobians": "depth_jacobians layer_jacobian network_jacobian products_from_input products_to_output",
    "passes": "Pass",
    "singular": "singular_values",
    "steps": "Step",
}

later(__name__, _LATER)

__all__ = [
    "EXAMPLES",
    "Explanation",
    "Note",
    "Pass",
    "Step",
    "depth_jacobians",
    "explain",
    "layer_jacobian",
    "network_jacobian",
    "one_neuron_chain",
    "products_from_input",
    "products_to_output",
    "singular_values",
    "tiny_network",
]
