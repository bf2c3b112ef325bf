"""Dropout of a layer with five neurons: 004 §3.6.4, Example 3."""

from __future__ import annotations

from itertools import product

import numpy as np

from chainrule.base.keys import Key
from chainrule.core import random_stream
from chainrule.glass.explanation.walk import Walk, part, shown
from chainrule.ops import dropout

KEEP = 0.6
ACTIVATIONS = np.array([0.4, 0.7, 0.3, 0.1, 0.9])
DRAW = Key(6)
"""The first key whose mask is the document's, 1, 0, 1, 0, 1."""


def dropout_of_a_layer(digits: int = 5) -> Walk:
    """Example 3 of 004 §3.6.4: a mask in training, and how what it takes away is made up for.

    >>> dropout_of_a_layer()["testing"].round(4).tolist()
    [0.24, 0.42, 0.18, 0.06, 0.54]
    """
    with random_stream(DRAW):
        inverted = dropout(ACTIVATIONS, 1 - KEEP)
    mask = (inverted != 0).astype(np.int64)
    return Walk(
        "Dropout in a layer of five neurons (004 §3.6.4, Example 3)",
        [
            part(
                "Training: a mask",
                shown("training", r"\tilde h = m \odot h", KEEP * inverted, (mask, r"\odot", ACTIVATIONS)),
                given=[("h", ACTIVATIONS), ("m", mask)],
                words=[r"$m_j \sim \operatorname{Bernoulli}(p)$, here with $p = 0.6$ (59)-(60)"],
            ),
            part(
                "Testing: all neurons, scaled",
                shown("testing", r"h \leftarrow p\, h", KEEP * ACTIVATIONS, ("0.6", r"\cdot", ACTIVATIONS)),
                shown("mean", r"\mathrm{E}[m \odot h] = \sum_m P(m)\, m \odot h", _mean(),
                      notes=["over all 32 masks with their probabilities: what a neuron gives on average in training"]),
                words=["(61), the weight scaling rule"],
            ),
            part(
                "The same with the scale in training",
                shown(
                    "inverted", r"\tilde h = m \odot h / p", inverted, (mask, r"\odot", ACTIVATIONS, " / 0.6"),
                    notes=[
                        "inverted dropout, as Dropout(0.4) of this library computes it: its argument is the "
                        "probability of dropping, $1 - p$",
                        "in testing nothing is left to do",
                    ],
                ),
            ),
        ],
        [
            "p is the probability of keeping a neuron here; the dropout rate of Table 1 in the same document is the "
            "part that is dropped, $1 - p$.",
            "The document's numbers are right.",
        ],
        digits,
    )  # fmt: skip


def _mean() -> np.ndarray:
    """E[m ⊙ h] over all masks."""
    masks = np.array(list(product([0, 1], repeat=len(ACTIVATIONS))))
    chances = np.prod(np.where(masks, KEEP, 1 - KEEP), axis=1)
    return chances @ (masks * ACTIVATIONS)
