"""Seeing: every number of a network by name, with its formula, and checked."""

from chainrule.glass import drawing as draw
from chainrule.glass.examples import EXAMPLES, one_neuron_chain, tiny_network
from chainrule.glass.explain import Explanation, Note, explain
from chainrule.glass.ledger_book import Ledger, ledger
from chainrule.glass.passes import Pass
from chainrule.glass.steps import Step

__all__ = [
    "EXAMPLES",
    "Explanation",
    "Ledger",
    "Note",
    "Pass",
    "Step",
    "draw",
    "explain",
    "ledger",
    "one_neuron_chain",
    "tiny_network",
]
