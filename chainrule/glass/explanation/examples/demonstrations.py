"""The numerical demonstrations of 000 ch. 7: learning rate, penalty, momentum, batch normalisation, dropout."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chainrule.base.keys import Key
from chainrule.core import grad, random_stream
from chainrule.glass.explanation.examples.documents import misprint
from chainrule.glass.explanation.examples.networks import TINY_X, TINY_Y, tiny_model
from chainrule.glass.explanation.explain import Explanation, explain
from chainrule.glass.explanation.steps import Step
from chainrule.glass.explanation.story import Part
from chainrule.glass.explanation.walk import Walk, noted, part, shown
from chainrule.losses import binary_cross_entropy, l2
from chainrule.nn import BatchNorm1d, Parameter
from chainrule.ops import affine, dropout, mean, square
from chainrule.optim import SGD

LAMBDA = 0.01
PRINTED_GRADIENTS = np.array([0.0289, 0.0425, 0.0568]), np.array([0.0215, 0.0318, 0.0425])
BATCH = np.array([0.10, 0.26, 0.08, 0.22])
DRAW = Key(6)
"""The first key whose mask is the document's, 1, 0, 1."""


def demonstrations(layout: str = "columns", digits: int = 5) -> Walk:
    """000 ch. 7 on the network of ch. 6, section by section.

    >>> demonstrations()["velocity_2"].round(5).tolist()
    [0.04751, 0.07005, 0.09362]
    """
    tiny = explained(layout, lr=0.1)
    return Walk(
        "Numerical demonstrations on the network of chapter 6 (000 ch. 7)",
        [
            _rates(tiny, layout), _curve(layout), _penalty(tiny), _momentum(), _true_momentum(layout),
            _batch_norm(), *_dropout(),
        ],
        ["The network 2-3-1 and its batch of four are those of the worked example tiny-network."],
        digits,
    )  # fmt: skip


def explained(layout: str, **options: object) -> Explanation:
    """The network of ch. 6 on its batch, with updates."""
    settings: dict[str, object] = {"layout": layout, **options}
    return explain(tiny_model(), TINY_X, TINY_Y, binary_cross_entropy, **settings)  # type: ignore[arg-type]


# §7.1, optimisation dynamics.


def _rates(tiny: Explanation, layout: str) -> Part:
    gradient = tiny["fc2.dW"]
    changes = {lr: explained(layout, lr=lr)["fc2.W.new"] - tiny["fc2.W"] for lr in (0.1, 0.5)}
    wrong = misprint("[0.0289, 0.0425, 0.0568]", "[0.0080, 0.0192, 0.0303]", "7.2")
    printed = {
        0.1: misprint("[-0.00289, -0.00425, -0.00568]", "[-0.0008, -0.0019, -0.0030]", "7.1"),
        0.5: misprint("[-0.01445, -0.02125, -0.02840]", "[-0.0040, -0.0096, -0.0152]", "7.2"),
    }
    rule = r"\Delta W^{(2)} = -\eta\, \partial L/\partial W^{(2)}"
    steps = [
        shown(f"change_at_{lr}", rule, change, (f"-{lr}", r"\cdot", gradient), phase="update",
              notes=[printed[lr].replace("-", "−")])
        for lr, change in changes.items()
    ]  # fmt: skip
    return part("Effect of the learning rate (7.1.1)", noted(tiny.step("fc2.dW"), wrong), *steps)


def _curve(layout: str) -> Part:
    losses = explained(layout, lr=0.1, steps=5).losses
    note = misprint("0.6160, 0.5847, 0.5172 for 0, 1 and 5", "0.6166, 0.5992, 0.5480", "7.3, illustrative")
    rule, caption = r"L_k = L(\theta_k), \quad k = 0, \dots, 5", r"after k updates, $\eta = 0.1$"
    return part("Loss curve (7.1.2)", shown("curve", rule, losses, caption=caption, notes=[note]))


# §7.2, the penalty λ Σ ‖W‖².


def _penalty(tiny: Explanation) -> Part:
    w1, w2 = tiny["fc1.W"], tiny["fc2.W"]
    norms = [l2([w], 1.0) for w in (w1, w2)]
    penalty = l2([w1, w2], LAMBDA)
    slope = grad(lambda w: l2([w], LAMBDA))(w2)
    total, gradient = tiny["loss"] + penalty, tiny["fc2.dW"] + slope
    return part(
        "L2 penalty (7.2)",
        _norm("1", w1, norms[0]),
        _norm("2", w2, norms[1]),
        shown("penalty", r"R = \lambda (\lVert W^{(1)} \rVert_F^2 + \lVert W^{(2)} \rVert_F^2)", penalty,
              ("0.01", r"\cdot", "(", norms[0], "+", norms[1], ")")),
        shown("penalised", r"L_R = L + R", total, (tiny["loss"], "+", penalty),
              notes=[misprint("0.6445", "0.6451", "7.7")]),
        shown("penalised_slope", r"\partial L_R/\partial W^{(2)} = \partial L/\partial W^{(2)} + 2\lambda W^{(2)}",
              gradient, (tiny["fc2.dW"], "+", r"2 \cdot 0.01", r"\cdot", w2), phase="backward"),
        shown("decayed", r"W^{(2)} \leftarrow W^{(2)} - \eta\, \partial L_R/\partial W^{(2)}", w2 - 0.1 * gradient,
              (w2, "-", "0.1", r"\cdot", gradient), phase="update"),
        words=["The penalty has no factor 1/2 here; with that factor, as in ch. 8 and in the optimisers of this "
               "library, the same $\\lambda$ pulls half as much: SGD(weight_decay=0.02) is this penalty."],
    )  # fmt: skip


def _norm(layer: str, weight: np.ndarray, value: np.ndarray) -> Step:
    numbers = tuple(piece for w in weight.ravel() for piece in ("+", w, "^2"))[1:]
    return shown(f"norm_{layer}", rf"\lVert W^{{({layer})}} \rVert_F^2 = \sum_{{ij}} W_{{ij}}^2", value, numbers)


# §7.3, momentum.


def _momentum() -> Part:
    """Heavy ball from the gradients as the document gives them."""
    w = Parameter(np.array([0.7, 0.8, 0.9]))
    optimizer = SGD([w], lr=0.1, momentum=0.9)
    velocity = optimizer.moments_of(w)["velocity"]
    wrong = misprint("[0.6919, 0.7890, 0.8758]", "[0.6924, 0.7887, 0.8850]", "7.13: its subtraction is wrong")
    steps = []
    for k, g in enumerate(PRINTED_GRADIENTS, 1):
        w.grad, old, before = g, np.array(w.data), np.array(velocity)
        optimizer.step()
        numbers = ("0.9", r"\cdot", before, "+", g)
        steps.append(shown(f"velocity_{k}", rf"v_{k} = \beta v_{k - 1} + g_{k}", velocity, numbers, phase="update"))
        rule, numbers = rf"W_{k} = W_{k - 1} - \eta v_{k}", (old, "-", "0.1", r"\cdot", np.array(velocity))
        steps.append(shown(f"W_{k}", rule, w.data, numbers, phase="update", notes=[wrong] if k == 2 else []))
    words = [r"$\beta = 0.9$, $\eta = 0.1$; the gradients $g_1$ and $g_2$ are taken as the document prints them."]
    return part("Momentum, two steps (7.3.2)", *steps, words=words)


def _true_momentum(layout: str) -> Part:
    e = explained(layout, optimizer=lambda p: SGD(p, lr=0.1, momentum=0.9), steps=2)
    named = [(k, name) for k in (0, 1) for name in ("fc2.dW", "fc2.W.velocity", "fc2.W.new")]
    steps = [noted(e.passes[k].step(name), name=f"{name}.{k + 1}") for k, name in named]
    return part("Momentum with the true gradients", *steps)


# §7.4, batch normalisation.


def _batch_norm() -> Part:
    layer = BatchNorm1d(1, eps=1e-5, momentum=1.0, biased_running_var=True).astype(np.float64)
    normed = layer(BATCH[:, None]).data[:, 0]
    mu, variance = layer.running_mean.data[0], layer.running_var.data[0]
    from_mean = BATCH - mu
    root = np.sqrt(variance + layer.eps)
    sums = tuple(piece for z in BATCH for piece in ("+", z))[1:]
    return part(
        "Batch normalisation of one neuron (7.4.2)",
        shown("mean", r"\mu = \tfrac1m \sum_i z_i", mu, ("(", *sums, ")/4")),
        shown("deviations", r"d_i = (z_i - \mu)^2", square(from_mean), ("(", BATCH, "-", mu, ")^2"),
              notes=["taken entry by entry"]),
        shown("variance", r"\sigma^2 = \tfrac1m \sum_i d_i", mean(square(from_mean))),
        shown("root", r"s = \sqrt{\sigma^2 + \epsilon}", root, (r"\surd(", variance, "+", "10^{-5}", ")")),
        shown("normed", r"\hat z_i = (z_i - \mu)/s", normed, ("(", BATCH, "-", mu, ")/", root),
              notes=[misprint("−0.848 for sample 1", "−0.8473", "7.14'") + ": its −0.848 leaves $\\epsilon$ out",
                     r"with $\gamma = 1$ and $\beta = 0$ this is the layer's result too (7.15)"]),
        given=[("z", BATCH)],
        words=["The document calls this batch hypothetical: in the network of ch. 6 sample 4 has 0.27, not 0.22."],
    )  # fmt: skip


# §7.5, dropout.


def _dropout() -> Iterator[Part]:
    h, w, b = np.array([0.10, 0.25, 0.40]), np.array([[0.7, 0.8, 0.9]]), np.array([0.1])
    with random_stream(DRAW):
        inverted = dropout(h, 0.5)
    mask, dropped, tested = (inverted != 0).astype(np.int64), 0.5 * inverted, 0.5 * h
    z_dropped, z_tested = affine(dropped, w, b), affine(tested, w, b)
    note = "this library divides by $1 - p$ in training instead (8.4.3), and leaves h as it is at test time"
    yield part(
        "Dropout in training (7.5.1)",
        shown("dropped", r"h_m = h \odot m", dropped, (h, r"\odot", mask)),
        shown("z_dropped", r"z^{(2)} = W^{(2)} h_m + b^{(2)}", z_dropped,
              (w, r"\cdot", dropped[:, None], "+", b)),
        given=[("h", h), ("m", mask)],
    )  # fmt: skip
    yield part(
        "Dropout at test time (7.5.2)",
        shown("tested", r"h \leftarrow (1 - p)\, h", tested, ("(1 - 0.5)", r"\cdot", h)),
        shown("z_tested", r"z^{(2)} = W^{(2)} h + b^{(2)}", z_tested,
              (w, r"\cdot", tested[:, None], "+", b), notes=[note]),
    )  # fmt: skip
