"""The formula of a loss with a sample's numbers, computed as Python reads it, is the loss of that sample."""

import math
import re

import numpy as np
import pytest

import chainrule as cr
from chainrule import losses, nn
from chainrule.losses import LOSSES
from tests.laws.test_explain_laws import HEADS

ROUNDING = 1e-9  # relative: sums and logarithms in another order than the loss computes them

SIGNS = {"hinge", "perceptron"}
CLASSES = {"cross-entropy", "nll", "kl"}

WORDS = [
    (r"\\tfrac1(\d)\)", r"1/\1)"),
    (r"\\tfrac1(\d)", r"1/\1 * "),
    (r"\\cdot", "*"),
    (r"\\ln\s*(<[^>]*>)", r"log(\1)"),
    (r"\\ln\(", "log("),
    (r"\\(exp|max)", r"\1"),
    (r"\^2", "**2"),
    (r"\|([^|]*)\|", r"abs(\1)"),
    (r"<([^>]*)>", r"(\1)"),
    (r"\[", "("),
    (r"\]", ")"),
]
"""LaTeX as Python, numbers between angle brackets."""


def computed(formula):
    source = " ".join(part if isinstance(part, str) else f"<{float(part)!r}>" for part in formula)
    for latex, python in WORDS:
        source = re.sub(latex, python, source)
    return eval(source, {"log": math.log, "exp": math.exp, "max": max, "abs": abs})


def targets(name, m, k, rng):
    if name in ("cross-entropy", "nll"):
        return rng.integers(0, k, m)
    if name == "kl":
        return rng.dirichlet(np.ones(k), m)
    if name in SIGNS:
        return rng.choice([-1.0, 1.0], (m, k))
    return rng.integers(0, 2, (m, k)).astype(float) if name.startswith("bce") else 2 * rng.standard_normal((m, k))


def explained(name, m, k, seed=0):
    rng = np.random.default_rng(seed)
    head = [HEADS[name]()] if name in HEADS else []
    model = nn.Sequential(nn.Linear(3, k), *head).astype(np.float64)
    return cr.explain(model, rng.standard_normal((m, 3)), targets(name, m, k, rng), name)


def cases(sizes):
    return [(name, k) for name in LOSSES for k in sizes if k > 1 or name not in CLASSES]


@pytest.mark.parametrize(("name", "k"), cases([1, 2, 3]))
def test_each_sample_with_its_numbers(name, k):
    for seed in range(5):
        step = explained(name, 6, k, seed).step("losses")
        assert [line[0] for line in step.expanded] == [rf"\ell_{i}" for i in range(1, 7)]
        found = [computed(line[2:-2]) for line in step.expanded]
        np.testing.assert_allclose(found, step.value.ravel(), rtol=ROUNDING, atol=1e-12)


@pytest.mark.parametrize(("name", "k"), cases([1, 2]))
def test_a_sample_alone(name, k):
    step = explained(name, 1, k).step("loss")
    assert step.substituted is not None
    np.testing.assert_allclose(computed(step.substituted), step.value, rtol=ROUNDING, atol=1e-12)


def test_classes_that_are_probabilities():
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((4, 3)), rng.dirichlet(np.ones(3), 4)
    step = cr.explain(nn.Sequential(nn.Linear(3, 3)), x, y, losses.cross_entropy).step("losses")
    found = [computed(line[2:-2]) for line in step.expanded]
    np.testing.assert_allclose(found, step.value.ravel(), rtol=ROUNDING)


def test_many_samples_or_outputs_are_not_written_out():
    rng = np.random.default_rng(4)
    wide = cr.explain(nn.Linear(3, 5), rng.standard_normal((2, 3)), rng.standard_normal((2, 5)), "mse")
    long = cr.explain(nn.Linear(3, 1), rng.standard_normal((9, 3)), rng.standard_normal((9, 1)), "mse")
    assert wide.step("losses").expanded == long.step("losses").expanded == ()


def wide_huber(prediction, target):
    return losses.huber(prediction, target, delta=0.25)


wide_huber.__name__ = "huber"


def test_a_formula_that_is_not_what_the_loss_gave_is_not_shown():
    """Huber's δ is 1 in the formula with numbers; with another δ only what agrees is shown."""
    e = cr.explain(nn.Linear(1, 1, bias=False), [[0.0], [0.0]], [[0.1], [3.0]], wide_huber)
    assert [line[0] for line in e.step("losses").expanded] == [r"\ell_1"]


LINES = [
    ("cross-entropy", "    ℓ₁ = −ln 0."),
    ("nll", "    ℓ₁ = −(−"),
    ("bce", "    ℓ₁ = 1/2 [ln(1 + exp("),
    ("bce-probabilities", "    ℓ₁ = −1/2 ["),
    ("half-squared", "    ℓ₁ = 1/2 [("),
    ("mae", "    ℓ₁ = 1/2 [|"),
    ("hinge", "    ℓ₁ = 1/2 [max(0, 1 − "),
]


@pytest.mark.parametrize(("name", "line"), LINES)
def test_it_reads_like_this(name, line):
    assert line in str(explained(name, 3, 2))
