"""Small networks of the documents, forwards, backwards and updated: 000 ch. 6, 004 §2.4.4."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.glass.explanation.examples.documents import dense, misprint
from chainrule.glass.explanation.explain import Explanation, Note, explain
from chainrule.losses import binary_cross_entropy, half_squared
from chainrule.nn import ReLU, Sequential, Sigmoid

TINY_X = [[0.5, 0.2], [0.9, 0.8], [0.1, 0.3], [0.8, 0.9]]
TINY_Y = [[0.0], [1.0], [0.0], [1.0]]


def tiny_model() -> Sequential:
    """The network 2-3-1 of 000 ch. 6 at its start."""
    fc1 = dense([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], [0.01, 0.02, 0.03])
    return Sequential(fc1=fc1, act1=ReLU(), fc2=dense([[0.7, 0.8, 0.9]], [0.1]), act2=Sigmoid())


def tiny_network(layout: str = "columns", digits: int = 5) -> Explanation:
    """The network 2-3-1 of 000 ch. 6: sample 1 by itself, the batch of four, one update, the pass behind it.

    ReLU, sigmoid, binary cross-entropy in the mean over the batch, learning rate 0.1, samples in columns.

    >>> print(f"{tiny_network()['loss']:.5f}")
    0.61658
    """
    return explain(
        tiny_model(), TINY_X, TINY_Y, binary_cross_entropy, layout=layout, lr=0.1, samples=[0], digits=digits,
        notes=TINY_NOTES,
        title="A network from scratch: 2 → 3 → 1, ReLU, sigmoid, binary cross-entropy (000 ch. 6)",
    )  # fmt: skip


def one_neuron_chain(layout: str = "rows", digits: int = 5) -> Explanation:
    """The chain 1-1-1 of 004 §2.4.4, Example 9: sigmoid, a linear output, half the squared error, one step.

    >>> one_neuron_chain().step("fc2.dW").value.round(4).tolist()
    [[-0.044]]
    """
    model = Sequential(fc1=dense([[0.4]], [0.3]), act1=Sigmoid(), fc2=dense([[0.5]], [0.1]))
    return explain(
        model, [[1.0]], [[0.5]], half_squared, layout=layout, lr=0.1, digits=digits, notes=CHAIN_NOTES,
        title="One neuron a layer: sigmoid, linear output, half the squared error (004 §2.4.4, Example 9)",
    )  # fmt: skip


def _printed(name: str, wrong: str, right: str, where: str, updates: int = 0, sample: int | None = None) -> Note:
    return Note(name, misprint(wrong, right, where), updates, sample)


def _notes(*rows: tuple[Any, ...]) -> Sequence[Note]:
    return tuple(_printed(*row) for row in rows)


TINY_NOTES = _notes(
    ("loss", "1.1223", "1.1233", "6.23", 0, 0),
    ("loss", "0.1779", "0.1783", "6.32", 0, 1),
    ("loss", "0.9502", "0.9903", "6.33", 0, 2),
    ("loss", "0.2148", "0.1744", "6.33", 0, 3),
    ("losses", "0.1779, 0.9502, 0.2148 for samples 2 to 4", "0.1783, 0.9903, 0.1744", "6.32-6.33"),
    ("loss", "0.6163", "0.6166: its wrong losses nearly cancel", "6.36"),
    ("fc2.dW", "[0.0289, 0.0425, 0.0568]", "[0.0080, 0.0192, 0.0303]", "6.56"),
    ("fc2.W.new", "[0.6971, 0.7958, 0.8943]", "[0.6992, 0.7981, 0.8970]", "6.60"),
    ("fc2.b.new", "0.0831", "0.0755", "6.61"),
    ("fc1.W.new", "[[0.0933, 0.1974], ...]", "[[0.0978, 0.1991], ...]", "6.63"),
    ("fc1.b.new", "[−0.0032, 0.0094, 0.0142]", "[−0.0072, 0.0004, 0.0079]", "6.63"),
    ("fc1.z", "[0.0872, 0.2388, 0.3834]", "[0.0816, 0.2290, 0.3763]", "6.64", 1, 0),
    ("fc2.z", "0.6772", "0.6528", "6.65", 1, 0),
    ("act2.a", "0.6636", "0.6576", "6.65", 1, 0),
    ("loss", "1.0898", "1.0719", "6.66", 1, 0),
)
"""Where 000 ch. 6 prints another number, and the right one."""

CHAIN_NOTES = (Note("loss", "the document calls this MSE, but its numbers carry the factor 1/2"),)
"""004 §2.4.4 prints right numbers under another name."""
