"""The computational graph of 000 ch. 10: values, adjoints, tangents; and the way back through softmax."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.core import vjp
from chainrule.glass.explanation.expression import explain_graph
from chainrule.glass.explanation.walk import Walk, part, shown
from chainrule.ops import diagonal, log, softmax, sum

LOGITS, TARGET = np.array([1.0, 0.5, -0.3]), np.array([0.0, 1.0, 0.0])


def expression_graph(digits: int = 5) -> Walk:
    """The graph y = (x₁ + x₂) x₁, L = y² at (2, 3) of 000 ch. 10: by reverse mode, and by forward mode.

    >>> walk = expression_graph()
    >>> walk["v1.bar"].item(), walk["v2.bar"].item(), walk["L.dot.x1"].item()
    (140.0, 40.0, 140.0)
    """
    graph = explain_graph(_example, 2, 3, notes=NOTES)
    title = "A computational graph: adjoints backward, tangents forward (000 ch. 10)"
    return Walk(title, [*graph.parts(), _softmax_backward()], WORDS, digits)


def _example(x1: Any, x2: Any) -> Any:
    return ((x1 + x2) * x1) ** 2


WORDS = (
    "$y = v_4 = (x_1 + x_2) \\cdot x_1$ and $L = y^2$. The document has a fifth node $v_5 = y$, which is $v_4$ again.",
    "The document counts $O(L n)$ edges for L dense layers of n units (10.3.1); right is $O(L n^2)$: an edge is a "
    "weight, 300 for L = 3 and n = 10, and $L n$ counts the units alone.",
    "Its sentence that reverse mode is for many outputs and few inputs (10.3.2) has the two exchanged; its table "
    "(10.3.3) has it right, but for the memory: reverse mode keeps every value of the forward pass, not one layer's.",
)
NOTES = {
    "v4.bar": "(10.4); $\\bar v_5 = 2 y$, and $v_5$ is $v_4$",
    "v3.bar": "(10.5)",
    "v1.bar": "(10.5) and (10.6): $v_1$ is used twice, so its adjoint adds up; by hand $20\\,(2 x_1 + x_2) = 140$",
    "v2.bar": "(10.7)",
    "L.dot.x1": "(10.8)",
}


def _softmax_backward() -> Any:
    """§10.4.2: z̄ = Jᵀ p̄ with Jᵢⱼ = pᵢ (δᵢⱼ − pⱼ)."""
    p, pull = vjp(softmax, LOGITS)
    _, pull_loss = vjp(lambda p: -sum(TARGET * log(p)), p)
    (p_bar,) = pull_loss(np.ones(()))
    (z_bar,) = pull(p_bar)
    jacobian = np.stack([pull(row)[0] for row in np.eye(len(p))])
    assert np.allclose(diagonal(jacobian), p * (1 - p))
    return part(
        "Softmax backward (10.4.2)",
        shown("p", r"p = \operatorname{softmax}(z)", p, (r"\operatorname{softmax}(", LOGITS, ")")),
        shown("J", r"J_{ij} = p_i (\delta_{ij} - p_j)", jacobian, notes=["(10.11)"]),
        shown(
            "p.bar", r"\bar p = -y / p", p_bar, phase="backward",
            notes=[
                r"the document takes $\bar p = p - y$ for the cross-entropy $L = -\sum_i y_i \ln p_i$ "
                r"(below (10.12)); right is $-y/p$"
            ],
        ),
        shown(
            "z.bar", r"\bar z = J^\top \bar p", z_bar, (jacobian.T, r"\cdot", p_bar[:, None]), phase="backward",
            notes=[r"(10.12): $\bar z_i = p_i (\bar p_i - \bar p^\top p)$, which is $p - y$"],
        ),
        given=[("z", LOGITS), ("y", TARGET)],
    )  # fmt: skip
