"""What the worked examples share: layers with given numbers, and how a wrong number of a document is told."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.nn import Linear


def dense(weight: Any, bias: Any) -> Linear:
    """A dense layer with these numbers, in float64."""
    layer = Linear(len(weight[0]), len(weight)).astype(np.float64)
    layer.load_state_dict({"weight": np.array(weight, np.float64), "bias": np.array(bias, np.float64)})
    return layer


def misprint(wrong: str, right: str, where: str) -> str:
    """That a document prints another number, and the right one."""
    return f"the document prints {wrong} ({where}); right is {right}"
