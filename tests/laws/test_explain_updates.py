"""What `explain` shows of an update is what the optimiser does, and what its rule gives with the numbers shown."""

import re

import numpy as np
import pytest

import chainrule as cr
from chainrule import losses, nn, optim
from chainrule.glass import Step
from chainrule.glass.explanation.update_rules import RULES
from chainrule.optim import OPTIMIZERS

STEPS = 3
ROUNDING = 1e-12
"""Relative: Adam computes m̂ / (√v̂ + ε) in another order than the rule is written."""

CASES = {name: (kind, {}) for name, kind in OPTIMIZERS.items()} | {
    "sgd, decay": (optim.SGD, {"weight_decay": 0.1}),
    "sgd, momentum": (optim.SGD, {"momentum": 0.9}),
    "sgd, momentum and decay": (optim.SGD, {"momentum": 0.9, "weight_decay": 0.1}),
    "sgd, dampening": (optim.SGD, {"momentum": 0.9, "dampening": 0.5}),
    "nesterov": (optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "nesterov, decay": (optim.SGD, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    "averaged momentum, decay": (optim.AveragedMomentum, {"weight_decay": 0.1}),
    "velocity momentum, decay": (optim.VelocityMomentum, {"weight_decay": 0.1}),
    "adagrad, decay": (optim.Adagrad, {"weight_decay": 0.1}),
    "adagrad, no eps": (optim.Adagrad, {"eps": 0.0}),
    "rmsprop, inside": (optim.RMSprop, {"eps_inside_sqrt": True, "eps": 1e-3}),
    "rmsprop, decay": (optim.RMSprop, {"weight_decay": 0.1}),
    "adam, inside": (optim.Adam, {"eps_inside_sqrt": True, "eps": 1e-3}),
    "adam, decay": (optim.Adam, {"weight_decay": 0.1}),
    "adamw, no decay": (optim.AdamW, {"weight_decay": 0.0}),
    "adamw, inside": (optim.AdamW, {"eps_inside_sqrt": True, "weight_decay": 0.3}),
}


def network():
    """A float64 network 3-2-1 and a batch of four."""
    rng = np.random.default_rng(0)
    model = nn.Sequential(fc1=nn.Linear(3, 2), act=nn.Tanh(), fc2=nn.Linear(2, 1)).astype(np.float64)
    for p in model.parameters():
        p.assign(rng.standard_normal(p.shape))
    return model, rng.standard_normal((4, 3)), rng.standard_normal((4, 1))


def explained(kind, settings, **options):
    model, x, y = network()
    return cr.explain(model, x, y, losses.mse, optimizer=lambda p: kind(p, **settings), steps=STEPS, **options)


class Root:
    """√ before an array: `root ** array`, for a power binds closer than a quotient."""

    __array_ufunc__ = None

    def __pow__(self, array):
        return np.sqrt(array)


WORDS = {r"\cdot": "*", r"\oslash": "/", r"\surd": "root ** ", "^": "**", "{": "(", "}": ")"}


def computed(step: Step):
    """The rule with the numbers put in, as Python computes it."""
    formula = step.substituted or ()
    arrays = {f"a{i}": part for i, part in enumerate(formula) if isinstance(part, np.ndarray)}
    source = " ".join(f"a{i}" if f"a{i}" in arrays else part for i, part in enumerate(formula))
    for latex, python in WORDS.items():
        source = source.replace(latex, python)
    return eval(source, {"root": Root(), **arrays})


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("layout", ["rows", "columns"])
def test_the_numbers_put_in_give_the_result(name, layout):
    kind, settings = CASES[name]
    e = explained(kind, settings, layout=layout)
    steps = [step for one in e.passes for step in one.phase("update")]
    assert steps and not any("step(" in str(step) for step in steps)  # every optimiser has a rule of its own
    for step in steps:
        np.testing.assert_allclose(computed(step), step.value, rtol=ROUNDING, atol=1e-15, err_msg=step.name)
    assert e.checked


@pytest.mark.parametrize("name", CASES)
def test_moments_and_parameters_are_the_optimisers_own(name):
    """A loop written by hand, in float64, with the same optimiser."""
    kind, settings = CASES[name]
    e = explained(kind, settings)
    model, x, y = network()
    optimizer = kind(model, **settings)
    for k in range(STEPS):
        optimizer.zero_grad()
        losses.mse(model(x), y).backward()
        optimizer.step()
        for path, p in model.named_parameters():
            short = path.replace("weight", "W").replace("bias", "b")
            kept = {f"{short}.{moment}": m for moment, m in optimizer.moments_of(p).items()}
            for quantity, value in ({f"{short}.new": p.data} | kept).items():
                shown = e.passes[k][quantity].reshape(value.shape)
                np.testing.assert_allclose(shown, value, rtol=1e-9, atol=1e-15, err_msg=quantity)


def test_every_optimiser_has_a_rule():
    assert set(RULES) == set(OPTIMIZERS.values())


def test_names_of_a_step_of_adam():
    e = explained(optim.Adam, {})
    assert [step.name for step in e.passes[0].phase("update")][:6] == [
        "fc1.W.m", "fc1.W.v", "fc1.W.m_hat", "fc1.W.v_hat", "fc1.W.step", "fc1.W.new",
    ]  # fmt: skip
    np.testing.assert_allclose(e["fc1.W.m_hat"], e["fc1.dW"], rtol=ROUNDING)  # m̂ = g at the first step
    np.testing.assert_allclose(abs(e["fc1.W.step"]), 1e-3, rtol=1e-4)  # which is ±η


def test_groups_have_rates_of_their_own():
    model, x, y = network()

    def grouped(parameters):
        first, *others = parameters
        return optim.SGD([{"params": [first], "lr": 0.5}, {"params": others, "weight_decay": 0.2}], lr=0.1)

    e = cr.explain(model, x, y, losses.mse, optimizer=grouped)
    assert [s.name for s in e.passes[0].phase("update")] == [
        "fc1.W.new", "fc1.b.g", "fc1.b.new", "fc2.W.g", "fc2.W.new", "fc2.b.g", "fc2.b.new",
    ]  # fmt: skip
    np.testing.assert_allclose(e["fc1.W.new"], e["fc1.W"] - 0.5 * e["fc1.dW"], rtol=ROUNDING)
    assert [n for s in e.passes[0].phase("update") for n in s.notes] == [
        r"SGD, step 1: $\eta = 0.5$", r"SGD, step 1: $\eta = 0.1$, $\lambda = 0.2$",
    ]  # fmt: skip


class Signs(optim.Optimizer):
    """Every parameter steps by η against the sign of what has gathered."""

    formula = r"m \leftarrow m + g, \quad \theta \leftarrow \theta - \eta \operatorname{sign} m"
    moments = ("sum_of_g",)

    @staticmethod
    def update(theta, g, t, moments, scratch, *, lr):
        moments[0][...] += g
        theta -= lr * np.sign(moments[0])


class Warm(optim.Adam):
    """Adam that changes what it is told: its rule is not Adam's."""

    @staticmethod
    def update(theta, g, t, moments, scratch, *, lr, **settings):
        optim.Adam.update(theta, g, t, moments, scratch, lr=lr * min(1, t / 100), **settings)


OWN = """\
fc1.W.sum_of_g   shape (1, 2)
    sum_of_g ← step(sum_of_g, ∂L/∂W⁽¹⁾)
             = [−0.5  −1.0]
    sum_of_g = [0  0] → [−0.5  −1.0]
    note  Signs, step 1: m ← m + g, θ ← θ − η sign m

fc1.W.new   shape (1, 2)
    W⁽¹⁾ ← step(W⁽¹⁾, ∂L/∂W⁽¹⁾)
         = [0.35  −0.15]
    W⁽¹⁾ = [0.25  −0.25] → [0.35  −0.15]
"""


def test_an_optimiser_of_ones_own_is_shown_by_what_it_keeps():
    model = nn.Sequential(fc1=nn.Linear(2, 1, bias=False))
    model.load_state_dict({"fc1.weight": np.array([[0.25, -0.25]])})
    e = cr.explain(model, [[1.0, 2.0]], [[0.25]], "half-squared", optimizer=lambda p: Signs(p, lr=0.1))
    assert OWN in str(e)
    assert r"\mathrm{sum\_of\_g} &= \begin{bmatrix} 0 & 0" in e.latex()


def test_a_changed_adam_is_not_told_as_adam():
    e = explained(Warm, {})
    assert "W⁽¹⁾ ← step(W⁽¹⁾, ∂L/∂W⁽¹⁾)" in str(e) and "β₁ m" not in re.sub("note.*", "", str(e))


def test_moments_of_large_layers_are_cut_short():
    model = nn.Sequential(fc1=nn.Linear(20, 30), act=nn.ReLU(), fc2=nn.Linear(30, 10))
    x, y = np.random.default_rng(1).standard_normal((16, 20)), np.arange(16) % 10
    text = str(cr.explain(model, x, y, "cross-entropy", optimizer=optim.Adam))
    assert max(map(len, text.splitlines())) <= 100 and len(text.splitlines()) < 420


ADAMW = """\
fc1.W.decayed
    θ̃ = (1 − ηλ) W⁽¹⁾
      = (1 − 0.1 · 0.5) · 2
      = 1.9
    note  AdamW, step 1: η = 0.1, β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸, λ = 0.5

fc1.W.m
    m ← β₁ m + (1 − β₁) ∂L/∂W⁽¹⁾
      = 0.9 · 0 + (1 − 0.9) · (−3)
      = −0.3

fc1.W.v
    v ← β₂ v + (1 − β₂) (∂L/∂W⁽¹⁾)²
      = 0.999 · 0 + (1 − 0.999) · (−3)²
      = 0.009

fc1.W.m_hat
    m̂ = m / (1 − β₁ᵗ)
      = −0.3 / (1 − 0.9¹)
      = −3

fc1.W.v_hat
    v̂ = v / (1 − β₂ᵗ)
      = 0.009 / (1 − 0.999¹)
      = 9

fc1.W.step
    Δθ = −η m̂ / (√v̂ + ε)
       = −0.1 · (−3) / (√9 + 10⁻⁸)
       = 0.1

fc1.W.new
    W⁽¹⁾ ← θ̃ + Δθ
         = 1.9 + 0.1
         = 2
"""


def test_adamw_reads_like_this():
    model = nn.Sequential(fc1=nn.Linear(1, 1, bias=False))
    model.load_state_dict({"fc1.weight": np.array([[2.0]])})
    e = cr.explain(model, [[1.0]], [[5.0]], "half-squared", optimizer=lambda p: optim.AdamW(p, 0.1, weight_decay=0.5))
    assert ADAMW in str(e)


def test_a_negative_gradient_squared_keeps_its_brackets():
    model = nn.Sequential(fc1=nn.Linear(1, 1, bias=False))
    model.load_state_dict({"fc1.weight": np.array([[2.0]])})
    e = cr.explain(model, [[1.0]], [[5.0]], "half-squared", optimizer=optim.Adagrad)
    assert "= 0 + (−3)²\n" in str(e)
