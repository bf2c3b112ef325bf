"""Seeing: every number of a network by name, with its formula, and checked."""

from chainrule.glass.diagnosis import Diagnosis, Operand, diagnose
from chainrule.glass.examples import EXAMPLES, one_neuron_chain, tiny_network
from chainrule.glass.explain import Explanation, Note, explain
from chainrule.glass.gaps import Gap
from chainrule.glass.moments import Moment, at
from chainrule.glass.partings import Parting, compare
from chainrule.glass.passes import Pass
from chainrule.glass.reruns import Rerun
from chainrule.glass.steps import Step

__all__ = [
    "EXAMPLES", "Diagnosis", "Explanation", "Gap", "Moment", "Note", "Operand", "Parting", "Pass", "Rerun", "Step",
    "at", "compare", "diagnose", "explain", "one_neuron_chain", "tiny_network",
]  # fmt: skip
