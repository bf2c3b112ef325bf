"""The documents' worked examples of convolution and pooling: letters with numbers, and derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.glass.explanation.explain import Explanation, Note, explain
from chainrule.losses import half_squared
from chainrule.nn import Conv1d, Conv2d, MaxPool2d, Module, Sequential


def convolution(layout: str = "rows", digits: int = 5) -> Explanation:
    """The image of 4 by 3 letters and the filter of 2 by 2 of 002 A.7, with a … l = 1 … 12 and 1, 2, 3, 4.

    >>> convolution()["conv.z"][0, 0].tolist()
    [[37.0, 47.0], [67.0, 77.0], [97.0, 107.0]]
    """
    conv = _filter(Conv2d(1, 1, 2, bias=False), [[1, 2], [3, 4]])
    image = np.arange(1.0, 13.0).reshape(1, 1, 4, 3)
    printed = (
        "the document prints this with letters: its image is a, b, c, … with a = 1 to l = 12 here, its filter 1 to 4"
    )
    return explain(
        Sequential(conv=conv), image, np.zeros((1, 1, 3, 2)), half_squared, layout=layout, digits=digits,
        title="A filter on an image (002 A.7)", notes=(Note("conv.z", printed),),
    )  # fmt: skip


def circular_convolution(layout: str = "rows", digits: int = 5) -> Explanation:
    """The circular convolution of 002 A.9 as a circulant matrix, with w = [1, 2, 3] and x = [1, −2, 3, 5, 4].

    >>> circular_convolution()["conv.z"][0, 0].tolist()
    [6.0, 19.0, 25.0, 16.0, 0.0]
    """
    conv = Conv1d(1, 1, 3, padding=((0, 2),), padding_mode="circular", bias=False)
    signal = np.array([[[1.0, -2.0, 3.0, 5.0, 4.0]]])
    printed = "the document prints this matrix with letters: $w_0, w_1, w_2$ are 1, 2, 3 here"
    return explain(
        Sequential(conv=_filter(conv, [1, 2, 3])), signal, np.zeros((1, 1, 5)), half_squared, layout=layout,
        digits=digits, title="A circular convolution as a circulant matrix (002 A.9)",
        notes=(Note("conv.matrix", printed),),
    )  # fmt: skip


def max_pooling(layout: str = "rows", digits: int = 5) -> Explanation:
    """The windows of 2 by 2 of 002 A.11; a filter of one weight 1 before them shows where the derivative goes.

    >>> max_pooling()["pool.a"][0, 0].tolist()
    [[3.0, 5.0], [2.0, 4.0]]
    """
    image = np.array([[[[1.0, 2, 5, 3], [3, 0, 1, 2], [2, 1, 3, 4], [1, 1, 2, 0]]]])
    notes = (
        Note("copy.z", "this filter of one weight 1 changes nothing: it shows what pooling sends back"),
        Note("pool.a", "the document prints [[3, 5], [2, 4]], which agrees"),
        Note(
            "pool.a",
            "its formula takes the largest of $i = kp$ to $(k + 1)p$, one entry too many; right is $(k + 1)p - 1$",
        ),
    )
    model = Sequential(copy=_filter(Conv2d(1, 1, 1, bias=False), [[1]]), pool=MaxPool2d(2))
    return explain(
        model, image, np.zeros((1, 1, 2, 2)), half_squared, layout=layout, digits=digits, notes=notes,
        title="Max pooling (002 A.11)",
    )  # fmt: skip


def _filter(layer: Module, weight: Any) -> Module:
    """A convolution with one filter of these numbers, in float64."""
    layer = layer.astype(np.float64)
    layer.load_state_dict({"weight": np.array([[weight]], dtype=float)})
    return layer
