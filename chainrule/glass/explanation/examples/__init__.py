"""The documents' worked examples, ready to print, with what the documents print wrong put right."""

from __future__ import annotations

from collections.abc import Callable

from chainrule.glass.explanation.examples.demonstrations import demonstrations
from chainrule.glass.explanation.examples.dropout import dropout_of_a_layer
from chainrule.glass.explanation.examples.exercises import backpropagation, xor
from chainrule.glass.explanation.examples.expressions import expression_graph
from chainrule.glass.explanation.examples.networks import one_neuron_chain, tiny_network
from chainrule.glass.explanation.told import Told

EXAMPLES: dict[str, Callable[..., Told]] = {
    "tiny-network": tiny_network,
    "demonstrations": demonstrations,
    "expression-graph": expression_graph,
    "xor": xor,
    "backpropagation": backpropagation,
    "one-neuron-chain": one_neuron_chain,
    "dropout": dropout_of_a_layer,
}
"""Worked examples by the name that the command line uses, in the order of the documents."""
