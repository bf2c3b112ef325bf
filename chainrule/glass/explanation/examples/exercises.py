"""Exercises 1 and 3 of 002, solved with numbers: XOR by two rectified units, and backpropagation by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import numpy as np

from chainrule.glass.explanation.examples.documents import dense
from chainrule.glass.explanation.explain import explain
from chainrule.glass.explanation.story import Part
from chainrule.glass.explanation.walk import Walk, chapter, noted, part, shown
from chainrule.losses import cross_entropy, half_squared
from chainrule.nn import ReLU, Sequential, Sigmoid
from chainrule.ops import step_strict

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR = np.array([[0.0], [1.0], [1.0], [0.0]])


def xor(layout: str = "columns", digits: int = 5) -> Walk:
    """Exercise 1 of 002: no line separates XOR, two rectified units do.

    >>> xor()["b.fc2.z"].tolist()
    [[-0.5, 0.5, 0.5, -0.5]]
    """
    first, second = [[1, 1], [1, 1]], [[1, -1], [-1, 1]]
    return Walk(
        "XOR with one hidden layer (002, exercise 1)",
        [
            _not_separable(),
            _solution("b", "(b) Two rectified units and an output bias", first, [0, -1], [1, -2], -0.5, layout),
            _solution("c1", "(c) The same without the output bias", first, [0, -1], [1, -2], 0.0, layout),
            _solution("c2", "(c) Another without any bias", second, [0, 0], [1, 1], 0.0, layout),
        ],
        ["The rule is: class 1 where $f(x) > 0$. The document gives no numbers; the four inputs stand in this order: "
         "(0, 0), (0, 1), (1, 0), (1, 1)."],
        digits,
    )  # fmt: skip


def _not_separable() -> Part:
    augmented = np.hstack([CORNERS, np.ones((4, 1))])
    ones, zeros = augmented[XOR[:, 0] == 1], augmented[XOR[:, 0] == 0]
    return part(
        "(a) No line separates the classes",
        shown("a.class_1", r"s_1 = \tilde x_2 + \tilde x_3", ones.sum(axis=0), (ones[0], "+", ones[1])),
        shown(
            "a.class_0", r"s_0 = \tilde x_1 + \tilde x_4", zeros.sum(axis=0), (zeros[0], "+", zeros[1]),
            notes=[
                r"$s_1 = s_0$, but with weights $\tilde w = (w, b)$ that separate, $\tilde w^\top s_1 > 0$ and "
                r"$\tilde w^\top s_0 \le 0$: there are none"
            ],
        ),
        words=[r"$\tilde x_i = (x_i, 1)$ is the i-th input with a 1 for the bias"],
    )  # fmt: skip


def _solution(name: str, title: str, w0: Any, b0: Any, beta: Any, b1: float, layout: str) -> Part:
    """f = β·ReLU(W₀ x + b₀) + b₁ on the four inputs, and the classes it gives."""
    model = Sequential(fc1=dense(w0, b0), act1=ReLU(), fc2=dense([beta], [b1]))
    e = explain(model, CORNERS, XOR, half_squared, layout=layout)
    f = e["fc2.z"]
    classes = shown(f"{name}.class", r"\hat y = [f > 0]", step_strict(f).astype(np.int64), ("[", f, " > 0]"))
    layers = [noted(e.step(step), name=f"{name}.{step}") for step in ("fc1.z", "act1.a", "fc2.z")]
    return part(title, *layers, noted(classes, "XOR"), given=[("X", e["x"])])


def backpropagation(layout: str = "columns", digits: int = 5) -> Walk:
    """Exercise 3 of 002: sigmoid units, a linear output; one data point, several, and cross-entropy.

    >>> backpropagation()["a.fc2.delta"].round(4).tolist() == backpropagation()["a.fc2.db"].round(4).tolist()
    True
    """
    return Walk(
        "Backpropagation for one hidden layer (002, exercise 3)",
        _exercise_3(layout, digits),
        [
            r"The exercise counts from 0: its $W_0, b_0, W_1, b_1$ are $W^{(1)}, b^{(1)}, W^{(2)}, b^{(2)}$ here, its "
            r"$x_1$ is $a^{(1)}$, its output $x_2$ is $z^{(2)}$. It gives no numbers; these are an instance with "
            r"$d = 2$, $K_1 = 3$, $K = 2$.",
            r"With $p_2 = x_2 - y$, or $\operatorname{softmax}(x_2) - y$ in (c): $\nabla W_1 = p_2 x_1^\top$, "
            r"$\nabla b_1 = p_2$, $\delta = (W_1^\top p_2) \odot x_1 \odot (1 - x_1)$, "
            r"$\nabla W_0 = \delta x_0^\top$, $\nabla b_0 = \delta$.",
        ],
        digits,
    )


POINTS, TARGETS = np.array([[1.0, 2.0], [-1.0, 0.5]]), np.array([[0.0, 1.0], [1.0, 0.0]])


def _exercise_3(layout: str, digits: int) -> Iterator[Part]:
    fc1 = dense([[0.1, -0.2], [0.4, 0.3], [-0.5, 0.2]], [0.0, 0.1, -0.1])
    model = Sequential(fc1=fc1, act1=Sigmoid(), fc2=dense([[0.6, -0.4, 0.2], [0.3, 0.5, -0.7]], [0.1, -0.1]))
    one, two = slice(0, 1), slice(0, 2)
    told = (
        ("a", "(a) One data point, half the squared error", one, half_squared),
        ("b", "(b) The sum over two data points", two, _summed(half_squared)),
        ("c", "(c) One data point, cross-entropy of a softmax", one, cross_entropy),
        ("c.b", "(c) The sum over two data points", two, _summed(cross_entropy)),
    )
    for name, title, which, loss in told:
        e = explain(model, POINTS[which], TARGETS[which], loss, layout=layout, digits=digits)
        yield from chapter(title, e, name)


def _summed(loss: Callable[..., Any]) -> Callable[..., Any]:
    """A loss as the sum over the samples; its name and its formulas stay."""

    @wraps(loss)
    def total(prediction: Any, target: Any) -> Any:
        return loss(prediction, target, reduction="sum")

    return total
