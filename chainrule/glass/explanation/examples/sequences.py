"""000 ch. 21 by hand: a recurrent network, an LSTM and attention, with what the document prints wrong put right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.glass.explanation.explain import Explanation, Note, explain
from chainrule.losses import binary_cross_entropy_with_logits
from chainrule.nn import LSTM, RNN, Linear, Module, MultiheadAttention
from chainrule.ops import sum
from chainrule.ops.operands import operand

SEQUENCE = [[0.5, 0.2], [0.3, 0.4], [0.2, 0.5]]


def rnn(layout: str = "columns", digits: int = 5) -> Explanation:
    """The recurrent network 2-3-1 of 000 §21.1 on three steps: target 1 at the last, learning rate 0.1.

    W_hy and b_h are garbled in print; the reading [0.7, 0.5, 0.3] and [0.1, 0, 0.1] is the one that gives (21.5).

    >>> print(f"{rnn()['loss']:.5f}")
    0.34112
    """
    recurrent = _with(RNN(2, 3), weight_ih_l0=[[0.5, 0.6], [0.3, 0.4], [0.2, 0.1]],
        weight_hh_l0=[[0.1, 0.2, 0.3], [0.4, 0.1, 0.2], [0.2, 0.3, 0.1]], bias_ih_l0=[0.1, 0.0, 0.1],
        bias_hh_l0=[0.0, 0.0, 0.0])  # fmt: skip
    model = _Last(rnn=recurrent, out=_with(Linear(3, 1), weight=[[0.7, 0.5, 0.3]], bias=[0.05]))
    return explain(
        model, np.array([SEQUENCE]), [[1.0]], binary_cross_entropy_with_logits, layout=layout, lr=0.1, digits=digits,
        notes=RNN_NOTES, title="Back through time by hand: a recurrent network 2 → 3 → 1 on three steps (000 §21.1)",
    )  # fmt: skip


def lstm(layout: str = "columns", digits: int = 5) -> Explanation:
    """The LSTM of 000 §21.2 on two steps: all weights 0.1 I, the forget gate's bias 1, the loss the sum of h₂.

    >>> lstm()["lstm.t2.dc"].round(4).ravel().tolist()
    [0.5072, 0.5097]
    """
    eye = np.concatenate([0.1 * np.eye(2)] * 4)
    bias = [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    layer = _with(LSTM(2, 2), weight_ih_l0=eye, weight_hh_l0=eye, bias_ih_l0=bias, bias_hh_l0=np.zeros(8))
    return explain(
        _Last(lstm=layer), np.array([SEQUENCE[:2]]), [[1.0, 1.0]], weighted_sum, layout=layout, digits=digits,
        notes=LSTM_NOTES, title="Back through the cell by hand: an LSTM on two steps (000 §21.2)",
    )  # fmt: skip


def attention(layout: str = "rows", digits: int = 5) -> Explanation:
    """The attention of 000 §21.3 with one head: two tokens, all weights I, and 1 from above at the first entry.

    >>> attention()["attention.head1.weights"].round(4).tolist()
    [[0.6698, 0.3302], [0.3302, 0.6698]]
    """
    layer = MultiheadAttention(2, 1, bias=False).astype(np.float64)
    layer.load_state_dict({"in_proj_weight": np.concatenate([np.eye(2)] * 3), "out_proj.weight": np.eye(2)})
    return explain(
        _Attending(layer), np.eye(2)[None], np.array([[[1.0, 0.0], [0.0, 0.0]]]), weighted_sum, layout=layout,
        digits=digits, notes=ATTENTION_NOTES, title="Attention by hand: two tokens, one head (000 §21.3)",
    )  # fmt: skip


class _Last(Module):
    """What a recurrent layer, the first part, holds at its last step, through the other parts if there are any."""

    def __init__(self, **parts: Module) -> None:
        vars(self).update(parts)

    def forward(self, x: Any) -> Any:
        recurrent, *others = self.children()
        y = recurrent(x)[0][:, -1]
        for layer in others:
            y = layer(y)
        return y


class _Attending(Module):
    """Attention of a sequence to itself."""

    def __init__(self, layer: Module) -> None:
        self.attention = layer

    def forward(self, x: Any) -> Any:
        return self.attention(x)[0]


def weighted_sum(prediction: Any, target: Any) -> Any:
    """L = Σ y ⊙ prediction: the derivative that comes from above is y."""
    return sum(prediction * operand(target))


weighted_sum.latex = (r"\ell = \textstyle\sum_j t_j y_j", r"\partial\ell/\partial y = t")  # type: ignore[attr-defined]


def _with(layer: Any, **numbers: Any) -> Any:
    """A layer with these numbers, in float64."""
    layer = layer.astype(np.float64)
    layer.load_state_dict({name: np.array(value) for name, value in numbers.items()})
    return layer


def _printed(name: str, wrong: str, right: str, where: str, updates: int = 0) -> Note:
    return Note(name, f"the document prints {wrong} ({where}); right is {right}", updates)


def _notes(*rows: tuple[Any, ...]) -> Sequence[Note]:
    return tuple(_printed(*row) for row in rows)


RNN_NOTES = (
    *_notes(
        ("rnn.t1.h", "[0.440, 0.226, 0.216]", "[0.4382, 0.2260, 0.2165]", "21.6"),
        ("rnn.t2.z", "[0.645, 0.452, 0.357]", "[0.6440, 0.4912, 0.3771]", "21.8"),
        ("rnn.t2.h", "[0.567, 0.422, 0.343]", "[0.5676, 0.4552, 0.3602]", "21.8"),
        ("rnn.t3.z", "[0.812, 0.641, 0.485]", "[0.7558, 0.6046, 0.4761]", "21.9"),
        ("rnn.t3.h", "[0.675, 0.568, 0.449]", "[0.6386, 0.5403, 0.4431]", "21.9"),
        ("y_hat", "0.720", "0.7110", "21.9"),
        ("loss", "0.329", "0.3411", "21.10"),
        ("out.delta", "−0.280", "−0.2890", "21.11"),
        ("rnn.t3.dh", "[−0.196, −0.140, −0.084]", "[−0.2023, −0.1445, −0.0867]", "21.13"),
        ("rnn.t3.delta", "[−0.107, −0.095, −0.067]", "[−0.1198, −0.1023, −0.0697]", "21.13"),
        ("rnn.t2.dh", "[−0.0621, −0.051, −0.0578]", "[−0.0668, −0.0551, −0.0634]", "21.15"),
        ("rnn.t2.delta", "[−0.0422, −0.0419, −0.0510]", "[−0.0453, −0.0437, −0.0552]", "21.15"),
        ("rnn.t1.delta", "[−0.0252, −0.0265, −0.0157]", "[−0.0267, −0.0284, −0.0265]", "21.16"),
        ("rnn.dweight_hh_l0", "[[−0.0792, −0.0547, −0.0458], ...]", "[[−0.0879, −0.0648, −0.0530], ...]", "21.17"),
    ),
    Note("out.z", "the document has an output at every step, and lets the loss see that of the last alone"),
)
"""Where 000 §21.1 prints another number, and the right one. The right sum of the wrong deltas is (21.17)."""

LSTM_NOTES = (
    Note(
        "lstm.t1.dc",
        r"(21.18) holds where $\partial L/\partial h$ is the total derivative: from above and from the step behind",
    ),
    Note(
        "lstm.a",
        r"the document prints no numbers here; this is its own setup, $W \approx 0.1\, I$, with a forget bias of 1",
    ),
)
"""000 §21.2 has formulas only."""

ATTENTION_NOTES = (
    Note(
        "attention.head1.scores",
        r"the document has $Q K^\top$ for tokens as columns, which needs $Q^\top K$ (003 §17.3); T = d hides it",
    ),
    Note(
        "attention.head1.output",
        r"softmax goes along the row of a query; column by column, as the document has it, goes with $K^\top Q$",
    ),
    Note(
        "attention.head1.dQ",
        r"(21.22) is right for rows; for tokens as columns it is $K (\partial L/\partial S)^\top/\sqrt{d}$",
    ),
)
"""Where 000 §21.3 mixes rows and columns."""
