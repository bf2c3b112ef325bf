"""000 ch. 21 as `explain` tells it: back through time, through the cell, through attention; errors put right."""

import re

import numpy as np
import pytest

from chainrule.glass import EXAMPLES

RNN = {
    "000-21.5": "rnn.t1.z",
    "000-21.6": "rnn.t1.h",
    "000-21.8a": "rnn.t2.z",
    "000-21.8b": "rnn.t2.h",
    "000-21.9a": "rnn.t3.z",
    "000-21.9b": "rnn.t3.h",
    "000-21.9c": "y_hat",
    "000-21.10": "loss",
    "000-21.11": "out.delta",
    "000-21.13a": "rnn.t3.dh",
    "000-21.13c": "rnn.t3.delta",
    "000-21.15a": "rnn.t2.dh",
    "000-21.15c": "rnn.t2.delta",
    "000-21.16": "rnn.t1.delta",
    "000-21.17": "rnn.dweight_hh_l0",
    "000-21.17x": "rnn.dweight_ih_l0",
    "000-21.17b": "rnn.dbias_ih_l0",
    "000-21.17u": "rnn.weight_hh_l0.new",
}


@pytest.fixture(scope="module", params=["rows", "columns"])
def layout(request):
    return request.param


@pytest.fixture(scope="module")
def rnn(layout):
    return EXAMPLES["rnn"](layout=layout)


@pytest.fixture(scope="module")
def lstm(layout):
    return EXAMPLES["lstm"](layout=layout)


@pytest.mark.parametrize(("row_id", "name"), [pytest.param(i, n, marks=pytest.mark.worked(i)) for i, n in RNN.items()])
def test_the_recurrent_network(worked, rnn, row_id, name):
    row = worked(row_id)
    row.check(np.reshape(rnn[name], row.right.shape))


@pytest.mark.worked("000-21.13b", "000-21.15b")
def test_the_slopes_that_the_deltas_are_multiplied_by(worked, rnn):
    for row_id, t in (("000-21.13b", 3), ("000-21.15b", 2)):
        _, _, slope = rnn.step(f"rnn.t{t}.delta").substituted
        worked(row_id).check(np.ravel(slope))


@pytest.mark.worked("000-21.17y")
def test_the_output_layer(worked, rnn):
    worked("000-21.17y").check(np.append(rnn["out.dW"], rnn["out.db"]))


@pytest.mark.worked("000-21.LSTM")
def test_two_steps_of_the_lstm(worked, lstm):
    names = ("lstm.t1.c", "lstm.t1.h", "lstm.t2.c", "lstm.t2.h")
    worked("000-21.LSTM").check(np.array([lstm[name].ravel() for name in names]))


@pytest.mark.worked("000-21.LSTMg")
def test_the_gradient_of_the_memory(worked, lstm):
    db = lstm["lstm.dbias_ih_l0"].ravel()
    found = [lstm["lstm.t2.dc"].ravel(), lstm["lstm.t1.dc"].ravel(), db[2:4], db[4:6]]
    worked("000-21.LSTMg").check(np.array(found))


@pytest.mark.worked("000-21.18")
def test_the_recursion_of_the_cell_is_shown(lstm):
    assert str(lstm.step("lstm.t1.dc")) == "∂L/∂c₁ = ∂L/∂h₁ ⊙ o₁ ⊙ (1 − tanh²(c₁)) + ∂L/∂c₂ ⊙ f₂"


@pytest.mark.worked("000-21.att")
def test_two_tokens_attend_to_each_other(worked):
    e = EXAMPLES["attention"]()
    found = np.concatenate([e["attention.head1.weights"], e["attention.head1.output"]])
    worked("000-21.att").check(found)


@pytest.mark.worked("000-21.3.2", "000-21.20", "000-21.22")
def test_tokens_as_columns(worked):
    e = EXAMPLES["attention"](layout="columns")
    assert str(e.step("attention.head1.scores")) == "S₁ = Q₁ᵀ K₁/√2"
    assert str(e.step("attention.head1.dV")) == "∂L/∂V₁ = (∂L/∂O₁) A₁"
    assert str(e.step("attention.head1.dweights")) == "∂L/∂A₁ = (∂L/∂O₁)ᵀ V₁"
    assert str(e.step("attention.head1.dQ")) == "∂L/∂Q₁ = K₁ (∂L/∂S₁)ᵀ/√2"


@pytest.mark.parametrize("name", ["rnn", "lstm", "attention"])
def test_a_note_says_what_the_library_computes(name):
    """Every "right is ..." agrees with the number it stands below, and what is printed does not."""
    e = EXAMPLES[name]()
    for note in e.notes:
        assert note.name in {step.name for step in e.steps}
        if "right is" not in note.text:
            continue
        wrong, right = (
            [float(n) for n in re.findall(r"-?\d+\.\d+", part.replace("−", "-"))]
            for part in note.text.split("(")[0:1] + note.text.split("right is")[1:]
        )
        numbers = np.ravel(e[note.name])[: len(right)]
        np.testing.assert_allclose(right, numbers, atol=0.5e-4 + 1e-12, err_msg=note.name)
        assert np.abs(np.array(wrong) - numbers).max() > 0.5e-3, note.name
