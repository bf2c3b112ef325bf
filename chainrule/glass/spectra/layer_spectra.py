"""Singular values of the Jacobian of a layer or a network, for each example."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from chainrule.base.keys import Key
from chainrule.core import tree
from chainrule.glass.spectra.layer_jacobians import layer_inputs, layer_jacobian
from chainrule.glass.spectra.singular import singular_values
from chainrule.glass.still import as_function, module_at
from chainrule.nn import Module


def layer_singular_values(
    model: Module,
    x: Any,
    path: str = "",
    k: int | None = None,
    method: Literal["exact", "lanczos"] | None = None,
    *,
    key: Key = Key(0),  # noqa: B008 - a key is a constant
) -> np.ndarray:
    """σ of ∂a/∂h of a layer (of the network, at the empty path), a row for each example, descending: (n, k).

    What `layer_jacobian` and `singular_values` give together, with the errors of both. All values come from the
    matrices at once; where only the k largest are asked for, examples go one at a time, large ones without a matrix.

    >>> import numpy as np
    >>> import chainrule as cr
    >>> cr.glass.layer_singular_values(cr.models.MLP(4, 8, 3), np.ones((5, 4))).shape
    (5, 3)
    """
    if k is None and method != "lanczos":
        return np.linalg.svd(layer_jacobian(model, x, path), compute_uv=False)
    h, *rest = layer_inputs(model, x, path)
    compute = as_function(module_at(model, path))

    def of_example(i: int) -> np.ndarray:
        others = tree.map_leaves(lambda v: v[i : i + 1], rest)
        return singular_values(lambda v: tree.flatten(compute(v, *others))[0][0], h[i : i + 1], k, method, key=key)

    return np.stack([of_example(i) for i in range(len(h))])
