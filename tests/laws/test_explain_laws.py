"""What `explain` shows is what the library computes, and what finite differences give, for any perceptron."""

from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule import losses, nn
from chainrule.core import PRIMITIVES
from chainrule.core.stack import stack
from chainrule.glass.explanation.mathml import math
from chainrule.glass.explanation.notation import unicode_text
from chainrule.losses import LOSSES
from tests.laws import explained_numbers

SAME = 1e-12  # float64 rounding of the same operations
DIFFERENCE = 1e-6  # central differences with step 6e-6: h² and rounding, on derivatives of size 1
STEP = 6e-6
SMOOTH = (nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.Softplus, nn.Identity)

widths = st.lists(st.integers(1, 5), min_size=2, max_size=4)
seeds = st.integers(0, 10_000)


def perceptron(widths, seed):
    """A float64 perceptron with smooth activations, a batch and targets."""
    rng = np.random.default_rng(seed)
    layers = {}
    for i, (n_in, n_out) in enumerate(pairwise(widths), 1):
        layers[f"fc{i}"] = nn.Linear(n_in, n_out)
        if i < len(widths) - 1:
            layers[f"act{i}"] = rng.choice(SMOOTH)()
    model = nn.Sequential(**layers).astype(np.float64)
    for p in model.parameters():
        p.assign(rng.standard_normal(p.shape))
    m = int(rng.integers(1, 5))
    return model, rng.standard_normal((m, widths[0])), rng.standard_normal((m, widths[-1]))


def by_hand(model, x, y):
    """Pre-activations, the loss, and the derivatives with respect to them, without `explain`."""
    h, zs = cr.tensor(x).requires_grad_(), {}
    for name, layer in model.named_children():
        h = layer(h)
        if isinstance(layer, nn.Linear):
            zs[name] = h
    loss = losses.half_squared(h, y)
    return zs, loss, cr.gradients(loss, zs)


@settings(max_examples=20)
@given(widths, seeds)
def test_deltas_are_those_of_the_graph(widths, seed):
    model, x, y = perceptron(widths, seed)
    e = cr.explain(model, x, y, losses.half_squared)
    zs, loss, deltas = by_hand(model, x, y)
    np.testing.assert_allclose(e["loss"], loss.data, rtol=SAME)
    for name, z in zs.items():
        np.testing.assert_allclose(e[f"{name}.z"], z.data, rtol=SAME, atol=SAME)
        np.testing.assert_allclose(e[f"{name}.delta"], deltas[name].data, rtol=SAME, atol=SAME)
    assert e.checked


@settings(max_examples=10)
@given(widths, seeds)
def test_derivatives_are_finite_differences(widths, seed):
    """Differences taken here, on the model itself: no part of `explain` takes part."""
    model, x, y = perceptron(widths, seed)
    e = cr.explain(model, x, y, losses.half_squared)

    def loss():
        return float(losses.half_squared(model(cr.tensor(x)), y).data)

    for path, p in model.named_parameters():
        name = path.replace("weight", "dW").replace("bias", "db")
        for place in np.ndindex(p.shape):
            before = p.data[place]
            p.data[place] = before + STEP
            up = loss()
            p.data[place] = before - STEP
            down = loss()
            p.data[place] = before
            slope = (up - down) / (2 * STEP)
            np.testing.assert_allclose(e[name][place], slope, rtol=DIFFERENCE, atol=DIFFERENCE)


@settings(max_examples=15)
@given(widths, seeds)
def test_columns_are_rows_transposed(widths, seed):
    model, x, y = perceptron(widths, seed)
    rows = cr.explain(model, x, y, losses.mse, lr=0.1)
    columns = cr.explain(model, x, y, losses.mse, lr=0.1, layout="columns")
    assert rows.names == columns.names
    for name in rows.names:
        batch = name in ("x", "y", "y_hat", "dx") or name.split(".")[-1] in ("z", "a", "delta", "da")
        turned = name.endswith(".b.new")
        expected = rows[name].T if batch or turned else rows[name]
        np.testing.assert_array_equal(expected, columns[name], err_msg=name)


@settings(max_examples=10)
@given(widths, seeds)
def test_samples_average_to_the_batch(widths, seed):
    model, x, y = perceptron(widths, seed)
    e = cr.explain(model, x, y, losses.half_squared)
    alone = [e.sample(i) for i in range(len(x))]
    np.testing.assert_allclose(e["losses"], [one["loss"] for one in alone], rtol=SAME)
    for name in ("loss", "fc1.dW", "fc1.db"):
        mean = np.mean([one[name] for one in alone], axis=0)
        np.testing.assert_allclose(e[name], mean, rtol=1e-9, atol=SAME)


def shallow(*middle):
    return nn.Sequential(nn.Linear(3, 4), *middle, nn.Linear(4, 2))


LAYERS = {
    "batch norm": lambda: shallow(nn.BatchNorm1d(4), nn.Tanh()),
    "batch norm, evaluation": lambda: shallow(nn.BatchNorm1d(4), nn.Tanh()).eval(),
    "layer norm": lambda: shallow(nn.LayerNorm(4), nn.ReLU()),
    "dropout": lambda: shallow(nn.Tanh(), nn.Dropout(0.5)),
    "dropout, evaluation": lambda: shallow(nn.Tanh(), nn.Dropout(0.5)).eval(),
    "residual": lambda: shallow(nn.Residual(nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4)))),
    "softmax": lambda: shallow(nn.Softmax()),
    "log-softmax": lambda: shallow(nn.LogSoftmax()),
    "flatten": lambda: shallow(nn.Flatten()),
    "no bias": lambda: nn.Sequential(nn.Linear(3, 4, bias=False), nn.ReLU(), nn.Linear(4, 2)),
    "one layer": lambda: nn.Linear(3, 2),
} | {f"activation {name}": (lambda kind=kind: shallow(kind())) for name, kind in nn.ACTIVATIONS.items()}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("layout", ["rows", "columns"])
def test_every_layer_is_explained_and_checked(name, layout):
    rng = np.random.default_rng(0)
    cr.seed(0)
    model = LAYERS[name]()
    before = model.state_dict()
    x, y = rng.standard_normal((5, 3)), rng.standard_normal((5, 2))
    e = cr.explain(model, x, y, losses.mse, layout=layout, lr=0.1)
    assert e.checked, [(s.name, str(s.check)) for s in e.steps]
    shown = {step.name for step in e.steps}
    assert {n for n in e.names if n.endswith((".dW", ".dweight"))} <= shown
    assert max(map(len, str(e).splitlines())) <= 100
    for key, value in model.state_dict().items():  # explained, and left as it was
        np.testing.assert_array_equal(value, before[key], err_msg=key)


TARGETS = {
    "bce": lambda rng: rng.integers(0, 2, (5, 2)).astype(float),
    "cross-entropy": lambda rng: rng.integers(0, 2, 5),
    "nll": lambda rng: rng.integers(0, 2, 5),
    "hinge": lambda rng: rng.choice([-1.0, 1.0], (5, 2)),
    "perceptron": lambda rng: rng.choice([-1.0, 1.0], (5, 2)),
    "kl": lambda rng: np.full((5, 2), 0.5),
    "bce-probabilities": lambda rng: rng.integers(0, 2, (5, 2)).astype(float),
}
WRITTEN = {
    "bce": "ℓ = ln(1 + e^(z⁽²⁾)) − y z⁽²⁾",
    "bce-probabilities": "ℓ = −[y ln ŷ + (1 − y) ln(1 − ŷ)]",
    "cross-entropy": "ℓ = −Σₖ yₖ ln ŷₖ",
    "nll": "ℓ = −ŷ_y",
    "kl": "ℓ = Σₖ yₖ (ln yₖ − ŷₖ)",
    "hinge": "ℓ = max(0, 1 − y z⁽²⁾)",
    "perceptron": "ℓ = max(0, −y z⁽²⁾)",
    "sse": "ℓ = ‖z⁽²⁾ − y‖²",
    "mse": "ℓ = 1/k ‖z⁽²⁾ − y‖²",
    "half-squared": "ℓ = 1/2 ‖z⁽²⁾ − y‖²",
    "mae": "ℓ = 1/k Σⱼ |z⁽²⁾ⱼ − yⱼ|",
    "huber": "ℓ = 1/2 e² [|e| ≤ δ] + δ(|e| − δ/2) [|e| > δ], e = z⁽²⁾ − y",
}
"""Each loss in the letters of the derivation: ŷ or the layer's own sign for the prediction, y for the target."""
HEADS = {"nll": nn.LogSoftmax, "kl": nn.LogSoftmax, "bce-probabilities": nn.Sigmoid}


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_explained_with_its_formula(name):
    rng = np.random.default_rng(1)
    head = [HEADS[name]()] if name in HEADS else []
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2), *head)
    y = TARGETS.get(name, lambda rng: rng.standard_normal((5, 2)))(rng)
    e = cr.explain(model, rng.standard_normal((5, 3)), y, name)
    assert e.checked
    assert str(e.step("losses")) == WRITTEN[name]


CANCELLING = {
    "sigmoid inside the loss": ({}, losses.binary_cross_entropy_with_logits, "σ"),
    "sigmoid layer": ({"b": nn.Sigmoid()}, losses.binary_cross_entropy, "σ"),
}


@pytest.mark.parametrize("name", CANCELLING)
def test_sigmoid_and_cross_entropy_cancel(name):
    head, loss, sign = CANCELLING[name]
    rng = np.random.default_rng(2)
    model = nn.Sequential(a=nn.Linear(3, 1), **head)
    y = np.array([[0.0], [1.0], [1.0]])
    e = cr.explain(model, rng.standard_normal((3, 3)), y, loss)
    assert str(e.step("a.delta")) == "Δ⁽¹⁾ = (Ŷ − Y)/m"
    np.testing.assert_allclose(e["a.delta"], (e["y_hat"] - y) / 3, rtol=1e-9)
    assert sign in unicode_text(e.step("a.delta").notes[0])


def test_softmax_and_cross_entropy_cancel():
    rng = np.random.default_rng(3)
    labels, model = np.array([2, 0, 1, 1]), nn.Sequential(a=nn.Linear(3, 3))
    e = cr.explain(model, rng.standard_normal((4, 3)), labels, losses.cross_entropy)
    assert str(e.step("a.delta")) == "Δ⁽¹⁾ = (Ŷ − Y)/m"
    np.testing.assert_allclose(e["a.delta"], (e["y_hat"] - np.eye(3)[labels]) / 4, rtol=1e-9, atol=SAME)


def test_no_cancellation_is_claimed_where_there_is_none():
    rng = np.random.default_rng(4)
    model = nn.Sequential(a=nn.Linear(3, 2), b=nn.Sigmoid())
    e = cr.explain(model, rng.standard_normal((4, 3)), rng.standard_normal((4, 2)), losses.mse)
    assert [s.name for s in e.steps if s.phase == "backward"] == ["b.da", "a.delta", "a.dW", "a.db"]
    assert str(e.step("a.delta")) == "Δ⁽¹⁾ = ∂L/∂Ŷ ⊙ σ'(Z⁽¹⁾)"


def test_a_wrong_rule_is_marked(monkeypatch):
    """A derivative wrong by 0.1 % is not ticked off."""
    right = PRIMITIVES["tanh"]._partials
    monkeypatch.setattr(PRIMITIVES["tanh"], "_partials", (lambda y, x: 1.001 * right[0](y, x),))
    rng = np.random.default_rng(5)
    model = nn.Sequential(fc1=nn.Linear(3, 4), act=nn.Tanh(), fc2=nn.Linear(4, 1))
    e = cr.explain(model, rng.standard_normal((4, 3)), rng.standard_normal((4, 1)), losses.mse)
    wrong = {step.name for step in e.steps if step.check is not None and not step.check}
    assert wrong == {"act.a", "fc1.delta", "fc1.dW", "fc1.db"}
    assert "✗ 6 of 10 derivatives agree" in str(e) and '<span class="fact bad">' in e.html()


def test_a_kink_is_said_to_be_one():
    """ReLU at exactly 0: the slopes differ there, and the one taken lies between them."""
    model = nn.Sequential(fc1=nn.Linear(2, 2, bias=False), act=nn.ReLU(), fc2=nn.Linear(2, 1))
    e = cr.explain(model, np.zeros((1, 2)), np.ones((1, 1)), losses.mse)
    assert str(e.step("fc1.delta").check) == "✓ at a kink"


def test_float32_models_are_explained_in_float64_and_stay_as_they_are():
    model = shallow(nn.ReLU())
    flat = nn.Flat.of(model.parameters())
    cr.explain(model, np.ones((2, 3)), np.ones((2, 2)), losses.mse, lr=0.1, steps=3)
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}
    assert nn.Flat.of(model.parameters()) is flat and all(p.grad is None for p in model.parameters())


def test_optimizers_update_copies():
    model = shallow(nn.ReLU())
    before = model.state_dict()
    x, y = np.ones((2, 3)), np.ones((2, 2))
    plain = cr.explain(model, x, y, losses.mse, lr=0.1, steps=3)
    stepped = cr.explain(model, x, y, losses.mse, optimizer=lambda p: cr.optim.SGD(p, lr=0.1), steps=3)
    np.testing.assert_allclose(stepped.losses, plain.losses, rtol=1e-9)
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[key])


def test_models_that_call_functions_are_explained():
    class Net(nn.Module):
        def __init__(self):
            self.fc1, self.fc2, self.scale = nn.Linear(3, 4), nn.Linear(4, 2), nn.Parameter(np.ones(2))

        def forward(self, x):
            return self.fc2(cr.relu(self.fc1(x))) * self.scale

    rng = np.random.default_rng(6)
    e = cr.explain(Net(), rng.standard_normal((5, 3)), rng.standard_normal((5, 2)), losses.mse)
    assert e.checked
    np.testing.assert_array_equal(e["fc1.a"], np.maximum(e["fc1.z"], 0))
    assert e.step("dscale").value.shape == (2,)


class Shared(nn.Module):
    """One dense layer and one activation, each called twice."""

    def __init__(self):
        self.fc, self.act = nn.Linear(3, 3), nn.Tanh()

    def forward(self, x):
        return self.act(self.fc(self.act(self.fc(x))))


class Tied(nn.Module):
    """Rows that are looked up, and scored against again."""

    def __init__(self):
        self.table, self.head = nn.Embedding(5, 3), nn.Linear(3, 5, bias=False)
        self.head.weight = self.table.weight

    def forward(self, ids):
        return self.head(cr.tanh(self.table(ids)))


@pytest.mark.parametrize("layout", ["rows", "columns"])
def test_a_layer_called_again_has_the_shares_of_both_calls(layout):
    rng = np.random.default_rng(7)
    model = Shared().astype(np.float64)
    x, y = rng.standard_normal((4, 3)), rng.standard_normal((4, 3))
    e = cr.explain(model, x, y, losses.mse, layout=layout, lr=0.1)
    assert e.checked
    step = e.step("fc.dW")
    expected = "Δ⁽¹⁾ᵀ X" if layout == "rows" else "Δ⁽¹⁾ Xᵀ"
    assert str(step).endswith(expected) and str(step).startswith("∂L/∂W⁽¹⁾ = ") and " + " in str(step)
    explained_numbers.check(step)
    assert "fc_2.dW" not in {s.name for s in e.steps} and "fc_2.z" in e and "act_2.a" in e
    grad = np.asarray(cr.gradients(losses.mse(model(cr.tensor(x)), y), model.fc.weight).data)
    np.testing.assert_allclose(e["fc.dW"], grad, rtol=1e-9, atol=SAME)


def test_tied_weights_have_the_shares_of_both_layers():
    e = cr.explain(Tied().astype(np.float64), np.array([[1, 4, 1]]), np.array([[4, 1, 0]]), "cross-entropy")
    assert e.checked
    steps = [step for step in e.steps if step.name in ("table.dweight", "head.dW")]
    assert len(steps) == 1 and " + " in str(steps[0])


FORMULAS = [f for kind in (*cr.PRIMITIVES.values(), *LOSSES.values()) for f in kind.latex]


@pytest.mark.parametrize("latex", FORMULAS)
def test_every_formula_of_the_library_can_be_written(latex):
    assert "\\" not in unicode_text(latex) and "\\" not in math(latex)
    letters = "".join(ElementTree.fromstring(math(latex)).itertext())  # which is well-formed
    assert letters.count("=") == latex.count("=")


def test_a_look_at_dropout_leaves_the_random_stream():
    model = nn.Sequential(fc1=nn.Linear(3, 4), drop=nn.Dropout(0.5), fc2=nn.Linear(4, 1))
    x, y = np.ones((2, 3)), np.ones((2, 1))
    draws = stack.key, stack.draws
    first, again = cr.explain(model, x, y, "mse"), cr.explain(model, x, y, "mse")
    assert (stack.key, stack.draws) == draws
    assert first["loss"] == again["loss"]
