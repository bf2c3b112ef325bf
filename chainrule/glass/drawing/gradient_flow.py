"""How much of the loss's derivative arrives at each layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.base.errors import OptionError
from chainrule.core import Graph, Tensor, gradients
from chainrule.glass.drawing.sheet import BLUE, ORANGE, Path, Sheet
from chainrule.glass.explanation.problem import loss_named
from chainrule.glass.still import module_at
from chainrule.nn import Module
from chainrule.train.evaluate import modes_restored

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def gradient_flow(
    model: Module, x: Any, y: Any, loss: Callable[[Any, Any], Tensor] | str, path: Path | None = None
) -> Figure:
    """‖δ⁽ˡ⁾‖ and ‖∂L/∂W⁽ˡ⁾‖ of each layer with parameters, from the input's side to the output's.

    δ⁽ˡ⁾ = ∂L/∂z⁽ˡ⁾ where z⁽ˡ⁾ is what the layer gives; norms are roots of sums of squares over all examples and units,
    ∂L/∂W⁽ˡ⁾ goes over all parameters of the layer. Deltas that shrink by a factor a layer vanish, or explode where
    they grow. The loss is a function of prediction and target, or its name. The model runs in evaluation mode, and
    keeps its gradients. Scales are logarithmic, and 0 is left out.

    Raises:
        OptionError: the model is none, there is no such loss, no layer with parameters takes part in the loss, or the
            path ends otherwise than .png or .svg.
        GradientError: the loss does not depend on a parameter.
    """
    sheet = Sheet(path, 1, 1, 5.6, 3.8)
    names, deltas, slopes = norms(module_at(model, ""), x, y, loss_named(loss))
    place = np.arange(1, len(names) + 1)
    axis = sheet.axis
    for label, values, colour, line in (("‖δ‖", deltas, BLUE, "-"), ("‖∂L/∂W‖", slopes, ORANGE, "--")):
        axis.plot(place, np.where(values > 0, values, np.nan), line, marker="o", color=colour, label=label)
    axis.set_yscale("log")
    slanted = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if len("".join(names)) > 40 else {}
    axis.set_xticks(place, names, fontsize=8, parse_math=False, **slanted)
    axis.set_xlabel("layer, from input to output")
    axis.set_ylabel("norm")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    return sheet.done("Gradient flow")


def norms(
    model: Module, x: Any, y: Any, loss: Callable[[Any, Any], Tensor]
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Paths of layers, ‖δ‖ and ‖∂L/∂W‖ of each, in the order of the pass."""
    with modes_restored(model):
        model.eval()
        value = loss(model(x), y)
    modules = dict(model.named_modules())
    own = {path: _own(module) for path, module in modules.items()}
    last = {}
    for node in Graph(value):
        if node.primitive is not None and own.get(node.path):
            last.pop(node.path, None)  # a shared layer stands where it is used last
            last[node.path] = node
    if not last:
        raise OptionError(
            "No layer with parameters takes part in this loss, so no gradient flows.",
            model=type(model).__name__,
            fix="a model made of modules such as cr.nn.Linear",
        )
    ends = {path: _result(node) for path, node in last.items()}
    bars, slopes = gradients(value, (ends, {path: own[path] for path in last}))
    return (
        [path or type(model).__name__ for path in last],
        np.array([_norm([bars[path]]) for path in last]),
        np.array([_norm(slopes[path]) for path in last]),
    )


def _own(module: Module) -> list[Tensor]:
    """The learned parameters that a module holds itself."""
    return [p for name, p in module.named_parameters() if "." not in name and p.requires_grad]


def _result(node: Any) -> Tensor:
    """What a node gives; of several results, as of a recurrent layer, the first."""
    if type(node.value) is tuple:
        return Tensor(node.value[0], node.trace, node, 0)
    return Tensor(node.value, node.trace, node)


def _norm(parts: list[Tensor]) -> float:
    return float(np.sqrt(sum(np.sum(np.square(p.numpy().astype(np.float64))) for p in parts)))
