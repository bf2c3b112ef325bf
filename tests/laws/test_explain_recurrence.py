"""Recurrent layers as `explain` tells them: the ledger's numbers, rules that hold, derivatives that are right."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import losses, nn
from chainrule.core import PRIMITIVES
from chainrule.glass.explanation.inside import INSIDE
from chainrule.glass.explanation.notation import width
from tests.laws import explained_numbers

SAME = 1e-12  # float64 rounding of the same operations
LAYERS = {
    "rnn": lambda: nn.RNN(2, 3),
    "rnn, relu": lambda: nn.RNN(2, 3, nonlinearity="relu"),
    "rnn without bias": lambda: nn.RNN(2, 3, bias=False),
    "lstm": lambda: nn.LSTM(2, 3),
    "lstm, two layers": lambda: nn.LSTM(2, 3, 2),
    "lstm, both directions": lambda: nn.LSTM(2, 3, bidirectional=True),
    "gru": lambda: nn.GRU(2, 3),
    "gru without bias": lambda: nn.GRU(2, 3, bias=False),
    "gru, two layers, both directions": lambda: nn.GRU(2, 3, 2, bidirectional=True),
    "gru of the documents": lambda: nn.ChungGRU(2, 3),
    "rnn with a learned state": lambda: nn.RNN(2, 3, learned_state=True),
    "cell of an rnn": lambda: nn.Recurrent(nn.RNNCell(2, 3)),
    "cell of an lstm": lambda: nn.Recurrent(nn.LSTMCell(2, 3)),
    "cell of a gru, reversed": lambda: nn.Recurrent(nn.GRUCell(2, 3), reverse=True),
    "cell of the documents' gru": lambda: nn.Recurrent(nn.ChungGRUCell(2, 3, bias=False)),
}


class Reader(nn.Module):
    """A recurrent layer, of whose states a dense layer sees the last, their mean, or the last state by itself."""

    def __init__(self, rnn, seen="last"):
        width = 3 * getattr(rnn, "directions", 1)
        self.rnn, self.fc, self.seen = rnn, nn.Linear(3 if seen == "state" else width, 2), seen

    def forward(self, x):
        states, last = self.rnn(x)
        if self.seen == "state":
            last = last[0] + last[1] if isinstance(last, tuple) else last
            return self.fc(last if last.ndim == 2 else last[-1])
        return self.fc(states[:, -1] if self.seen == "last" else states.mean(1))


def explained(name, seen="last", n=1, length=3, **options):
    cr.seed(0)
    rng = np.random.default_rng(1)
    model = Reader(LAYERS[name](), seen).astype(np.float64)
    x, y = rng.standard_normal((n, length, 2)), rng.standard_normal((n, 2))
    return cr.explain(model, x, y, losses.mse, **options), model, x, y


@pytest.mark.parametrize("seen", ["last", "mean", "state"])
@pytest.mark.parametrize("name", LAYERS)
def test_every_derivative_is_checked_and_every_rule_has_its_value(name, seen):
    e, *_ = explained(name, seen, n=2)
    assert e.checked, [(s.name, str(s.check)) for s in e.steps if s.check is not None and not s.check]
    told = [step for step in e.steps if step.kind == INSIDE and step.substituted is not None]
    assert len(told) > 10
    for step in [*told, e.step("dx")]:
        explained_numbers.check(step)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("length", [1, 3, 7])
def test_it_reads_in_rows_and_in_columns(name, length):
    for layout in ("rows", "columns"):
        e, *_ = explained(name, "mean", n=2, length=length, layout=layout, lr=0.1)
        assert e.checked
        assert max(map(width, str(e).splitlines())) <= 100
        latex = e.latex(document=True)
        assert latex.isascii() and latex.count("$") % 2 == 0 and latex.count("{") == latex.count("}")
        assert "\\" not in str(e) and "<script" not in e.html()
        for step in e.steps:
            if step.kind == INSIDE and step.substituted is not None:
                explained_numbers.check(step)


@pytest.mark.parametrize("name", [name for name in LAYERS if "cell" not in name])
def test_its_numbers_are_the_ledgers(name):
    e, model, x, y = explained(name, "mean", n=2, length=6)
    entry = cr.ledger(model, x, y, losses.mse)["rnn"]
    several = len({key.split("_l")[1] for key in entry if key.startswith("h_l")}) > 1
    found = 0
    for key, value in dict(entry.values_by_name).items():
        if "_l" not in key or not key.startswith(("h_", "dh_", "c_", "dc_", "i_", "z_", "delta_", "n_", "f_")):
            continue
        quantity, _, end = key.rpartition("_l")
        for t in range(6):
            shown = e[f"rnn.t{t + 1}.{quantity}" + (f"_l{end}" if several else "")]
            np.testing.assert_allclose(shown, value[:, t], rtol=1e-9, atol=SAME, err_msg=key)
            found += 1
    assert found >= 18


@pytest.mark.parametrize("name", LAYERS)
def test_parameters_have_the_derivatives_of_the_graph(name):
    e, model, x, y = explained(name, "mean", n=2)
    loss = losses.mse(model(cr.tensor(x)), y)
    for path, p in model.named_parameters():
        owner, _, own = path.rpartition(".")
        if owner.startswith("rnn"):
            given = np.asarray(cr.gradients(loss, p).data)
            shown = e.step(f"{owner}.d{own}")
            np.testing.assert_allclose(np.ravel(shown.value), given.ravel(), rtol=1e-9, atol=SAME)
            assert shown.check


def test_an_lstm_by_its_formulas():
    """Written out once more here, with nothing of the library but the weights."""
    e, model, x, _ = explained("lstm", "last", n=2)
    w, u = model.rnn.weight_ih_l0.data, model.rnn.weight_hh_l0.data
    b = model.rnn.bias_ih_l0.data + model.rnn.bias_hh_l0.data

    def sigma(z):
        return 1 / (1 + np.exp(-z))

    h, c = np.zeros((2, 3)), np.zeros((2, 3))
    steps = []
    for t in range(3):
        before = c
        i, f, g, o = np.split(x[:, t] @ w.T + h @ u.T + b, 4, axis=1)
        i, f, g, o = sigma(i), sigma(f), np.tanh(g), sigma(o)
        c = f * c + i * g
        h = o * np.tanh(c)
        steps.append((i, f, g, o, before, c))
        for name, value in zip("ifgoch", (i, f, g, o, c, h), strict=True):
            np.testing.assert_allclose(e[f"rnn.t{t + 1}.{name}"], value, rtol=1e-9, atol=SAME)
    dh, dc = e["index.da"], np.zeros((2, 3))
    for t in (2, 1, 0):
        i, f, g, o, before, c = steps[t]
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        np.testing.assert_allclose(e[f"rnn.t{t + 1}.dh"], dh, rtol=1e-9, atol=SAME)
        np.testing.assert_allclose(e[f"rnn.t{t + 1}.dc"], dc, rtol=1e-9, atol=SAME)
        parts = dc * g * i * (1 - i), dc * before * f * (1 - f), dc * i * (1 - g * g), dh * np.tanh(c) * o * (1 - o)
        for name, value in zip("ifgo", parts, strict=True):
            np.testing.assert_allclose(e[f"rnn.t{t + 1}.delta_{name}"], value, rtol=1e-9, atol=SAME)
        dh, dc = np.concatenate(parts, 1) @ u, dc * f


def test_a_wrong_rule_of_the_kernel_is_marked(monkeypatch):
    """Deltas wrong by 0.1 % are not ticked off, nor are the weights that they go into."""
    right = PRIMITIVES["rnn_back"].kernel
    explained("rnn")

    def wrong(*args, **kwargs):
        delta, h0, *weights = right(*args, **kwargs)
        return (1.001 * delta, h0, *(1.001 * w for w in weights))

    monkeypatch.setitem(PRIMITIVES["rnn_back"]._kernels, np.ndarray, wrong)
    e, *_ = explained("rnn")
    marked = {step.name for step in e.steps if step.check is not None and not step.check}
    assert {"rnn.t3.delta", "rnn.dweight_ih_l0", "rnn.dweight_hh_l0"} <= marked
    assert "✗" in str(e)


def test_long_sequences_are_cut_short_and_all_there_by_name():
    e, *_ = explained("lstm", length=30)
    names = {step.name for step in e.steps}
    assert {"rnn.t1.h", "rnn.t2.h", "rnn.t30.h"} <= names and "rnn.t3.h" not in names
    assert e["rnn.t17.delta_f"].shape == (1, 3)
    assert "steps 3 to 29 go as those shown" in str(e)
    assert "Σₜ δₜᵀ xₜ" in str(e) and e.checked
    assert "+ … +" in str(explained("rnn", length=30)[0])
    assert e.checked


def test_lengths_and_what_passes():
    class Masked(nn.Module):
        def __init__(self):
            self.rnn, self.fc = nn.LSTM(2, 3), nn.Linear(3, 1)

        def forward(self, x):
            _, (h, _) = self.rnn(x, lengths=[3, 1])
            return self.fc(h[0])

    rng = np.random.default_rng(0)
    e = cr.explain(Masked(), rng.standard_normal((2, 3, 2)), rng.standard_normal((2, 1)), losses.mse)
    assert e.checked
    np.testing.assert_allclose(e["rnn.t3.h"][1], e["rnn.t1.h"][1])
    assert "its state passes unchanged" in str(e)


def test_states_that_are_given_are_sent_their_derivative():
    class Twofold(nn.Module):
        def __init__(self):
            self.encoder, self.decoder, self.fc = nn.GRU(2, 3), nn.GRU(2, 3), nn.Linear(3, 1)

        def forward(self, x):
            _, state = self.encoder(x)
            y, _ = self.decoder(x, state)
            return self.fc(y)

    rng = np.random.default_rng(0)
    e = cr.explain(Twofold(), rng.standard_normal((1, 3, 2)), rng.standard_normal((1, 3, 1)), losses.mse)
    assert e.checked
    np.testing.assert_allclose(e["encoder.dh_n"], e["encoder.t3.dh"])
    assert str(e.step("encoder.dh_n")).startswith("∂L/∂h₃ = ∂L/∂h₁ ⊙ z₁")


def test_cells_of_ones_own_are_shown_by_their_operations():
    class Leaky(nn.Module):
        def __init__(self):
            self.w = nn.Parameter(np.full((2, 2), 0.5))

        def forward(self, x, h=None):
            return cr.tanh(x @ self.w) if h is None else 0.5 * h + cr.tanh(x @ self.w)

    model = nn.Sequential(rnn=nn.Recurrent(Leaky()), last=nn.Lambda(lambda pair: pair[0][:, -1]), fc=nn.Linear(2, 1))
    rng = np.random.default_rng(0)
    e = cr.explain(model, rng.standard_normal((2, 3, 2)), rng.standard_normal((2, 1)), losses.mse)
    assert e.checked
