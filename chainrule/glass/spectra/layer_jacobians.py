"""Jacobians of layers and networks, a matrix for each example, and their products along depth."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

import numpy as np

from chainrule.base.errors import OptionError, ShapeError
from chainrule.core import jacobian, tree, vmap
from chainrule.glass.still import as_function, call_at, module_at, plain
from chainrule.nn import Module, Sequential
from chainrule.nn.recurrent import RecurrentLayers
from chainrule.ops import reshape


def layer_jacobian(model: Module, x: Any, path: str) -> np.ndarray:
    """J = ∂a/∂h of one layer, where h is what it is given while the model computes x, and a what it gives.

    A matrix for each example, in float64 and evaluation mode: x (n, …), result (n, size of a, size of h). All
    examples and all rows (or columns, where these are fewer) come from one batched pass. Of several arguments h is the
    first, of several results a is the first; a layer that is called several times is taken at its first call.
    003 §10.

    Raises:
        OptionError: there is no layer at the path, the model does not call it, or calls it with named arguments, a
            state, or time first.
        ShapeError: the layer's input has no batch axis.
        GradientError: the layer's input is made of integers.

    >>> import numpy as np
    >>> import chainrule as cr
    >>> model = cr.nn.Sequential(fc=cr.nn.Linear(3, 2), act=cr.nn.Tanh())
    >>> bool(np.allclose(cr.glass.layer_jacobian(model, np.ones((1, 3)), "fc")[0], model.fc.weight.numpy()))
    True
    """
    h, *rest = layer_inputs(model, x, path)
    compute = as_function(module_at(model, path))

    def of_one(h_1: Any, rest_1: Any) -> Any:
        a = compute(reshape(h_1, (1, *h_1.shape)), *tree.map_leaves(lambda v: reshape(v, (1, *v.shape)), rest_1))
        return reshape(tree.flatten(a)[0][0], (-1,))

    J = vmap(jacobian(of_one))(h, list(rest))  # (n, size of a, *shape of h)
    return np.asarray(J).reshape(len(h), J.shape[1], -1)


def layer_inputs(model: Module, x: Any, path: str) -> list[Any]:
    """What a layer is given while the model computes x, as arrays with a batch axis; x itself at the empty path.

    Raises:
        OptionError: there is no layer at the path, the model does not call it, or calls it with arguments whose
            examples do not lie along the first axis, or of which that is not known.
        ShapeError: its input has no batch axis.
    """
    layer = module_at(model, path)
    called, named = call_at(model, x, path) if path else ((plain(x),), {})
    args = list(called)
    while args and args[-1] is None:
        args.pop()
    given = [name for name, value in named.items() if value is not None]
    if isinstance(layer, RecurrentLayers):
        given += ["a state"] * (len(args) > 1)
        given += ["time first"] * (not layer.batch_first)
    if given:
        raise OptionError(
            f"The layer is called with {', '.join(given)}: its Jacobian for one example is not known.",
            layer=f"{path} = {layer!r}" if path else repr(layer),
            fix="cr.jacobian of a function of your own",
        )
    if np.ndim(args[0]) < 2:
        raise ShapeError(f"A Jacobian for each example needs a batch axis, got {np.shape(args[0])}.", fix="x[None]")
    return args


def network_jacobian(model: Module, x: Any) -> np.ndarray:
    """J = ∂y/∂x of the whole network, a matrix for each example: x (n, …), result (n, size of y, size of x).

    What a small change of the input does to the output; see `layer_jacobian`.

    Raises:
        OptionError: the network takes time first.
        ShapeError: x has no batch axis.
        GradientError: x is made of integers.

    >>> import numpy as np
    >>> import chainrule as cr
    >>> cr.glass.network_jacobian(cr.models.MLP(4, 8, 3), np.ones((5, 4))).shape
    (5, 3, 4)
    """
    return layer_jacobian(model, x, "")


def depth_jacobians(model: Module, x: Any) -> dict[str, np.ndarray]:
    """The Jacobian Jₗ = ∂aₗ/∂aₗ₋₁ of every entry of a Sequential, by name, in order: (n, size of aₗ, size of aₗ₋₁).

    Raises:
        OptionError: the model is no Sequential, so that its layers need not follow one another.
    """
    if not isinstance(model, Sequential):
        raise OptionError(
            f"Along depth, layers follow one another: that is known of a Sequential, not of {type(model).__name__}.",
            fix="layer_jacobian(model, x, path) for one layer",
        )
    return {name: layer_jacobian(model, x, name) for name, _ in model.named_children()}


def products_from_input(jacobians: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """∂aₗ/∂x = Jₗ … J₂ J₁ for every layer: how a change of the input grows on the way up.

    Matrices (n, size of aₗ, size of aₗ₋₁) by name, as `depth_jacobians` gives them; the result
    (n, size of aₗ, size of x).
    """
    products = accumulate(jacobians.values(), lambda product, J: J @ product)
    return dict(zip(jacobians, products, strict=True))


def products_to_output(jacobians: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """∂y/∂aₗ₋₁ = J_L … Jₗ for every layer: what the gradient is multiplied by on the way down to its input.

    Of sigmoid layers every factor has slopes of at most 1/4, so that the product of the slopes is at most 4⁻ᴸ:
    000 (3.23); 004 §3.7.1. The weights decide with them, so read the singular values of the product.
    Matrices as `depth_jacobians` gives them; the result (n, size of y, size of aₗ₋₁).
    """
    names = list(jacobians)[::-1]
    products = accumulate((jacobians[name] for name in names), lambda product, J: product @ J)
    return dict(zip(names, products, strict=True))
