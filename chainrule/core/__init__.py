"""The grammar: primitive, tensor, graph, and differentiation in both modes to any order."""

from typing import TYPE_CHECKING

from chainrule.base.later import later
from chainrule.core.axes import Axis, axes
from chainrule.core.batch import vmap
from chainrule.core.families import elementwise, general, linear, multilinear
from chainrule.core.forward import jvp
from chainrule.core.graph import Graph, Leaf, Node, graph
from chainrule.core.primitive import PRIMITIVES, Primitive, apply
from chainrule.core.reverse import EAGER, grad, gradients, value_and_grad, vjp
from chainrule.core.spec import Spec, spec_of
from chainrule.core.stack import next_key, no_grad, random_stream, seed, stack
from chainrule.core.tensor import Tensor
from chainrule.core.vocabulary import words

if TYPE_CHECKING:
    from chainrule.core.check import GradientReport, check_gradients
    from chainrule.core.checkpoint import checkpoint, checkpoint_sequential
    from chainrule.core.jacobians import hessian, hvp, jacobian
    from chainrule.core.paths import count_paths, path_sum, paths
    from chainrule.core.scan import scan

_LATER = {
    "check": "GradientReport check_gradients",
    "checkpoint": "checkpoint checkpoint_sequential",
    "jacobians": "hessian hvp jacobian",
    "paths": "count_paths path_sum paths",
    "scan": "scan",
}
"""Names by the file that defines them, which is imported when one of them is first used."""

later(__name__, _LATER)

__all__ = [
    "EAGER",
    "PRIMITIVES",
    "Axis",
    "GradientReport",
    "Graph",
    "Leaf",
    "Node",
    "Primitive",
    "Spec",
    "Tensor",
    "apply",
    "axes",
    "check_gradients",
    "checkpoint",
    "checkpoint_sequential",
    "count_paths",
    "elementwise",
    "general",
    "grad",
    "gradients",
    "graph",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "linear",
    "multilinear",
    "next_key",
    "no_grad",
    "path_sum",
    "paths",
    "random_stream",
    "scan",
    "seed",
    "spec_of",
    "stack",
    "value_and_grad",
    "vjp",
    "vmap",
    "words",
]
