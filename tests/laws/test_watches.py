"""Watching a run: what is recorded is what the functions give, and the weights are those of a run not watched."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

import chainrule as cr
from chainrule import glass, nn

DRAW = np.random.default_rng(0)
X = DRAW.standard_normal((40, 4)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(int)
SEQUENCES = DRAW.standard_normal((40, 6, 4)).astype(np.float32)
PROBE = (X[:8], Y[:8])


def dense():
    cr.seed(0)
    return cr.models.MLP(4, 6, 5, 2, dropout=0.2, batch_norm=True)


class Recurrent(nn.Module):
    def __init__(self):
        self.rnn, self.head = nn.LSTM(4, 3), nn.Linear(3, 2)

    def forward(self, x):
        return self.head(self.rnn(x)[0][:, -1])


def recurrent():
    cr.seed(0)
    return Recurrent()


WATCHES = {
    "jacobian": lambda **every: glass.WatchJacobian(X[:3], **every),
    "jacobian, largest": lambda **every: glass.WatchJacobian(X[:3], "fc2", 2, "lanczos", **every),
    "eigenvalues": lambda **every: glass.WatchEigenvalues(PROBE, k=2, **every),
    "trace": lambda **every: glass.WatchTrace(PROBE, probes=3, **every),
    "density": lambda **every: glass.WatchDensity(PROBE, probes=2, steps=4, **every),
    "noise": lambda **every: glass.WatchNoise(PROBE, **every),
    "lags": lambda **every: glass.WatchLags((SEQUENCES[:8], Y[:8]), path="rnn", **every),
    "own": lambda **every: glass.Watch(lambda model: {"draw": cr.dropout(np.ones(3), 0.5).sum()}, **every),
}
FIGURES = {
    "jacobian": {"singular_values": (3, 2)},
    "jacobian, largest": {"singular_values": (3, 2)},
    "eigenvalues": {"eigenvalues": (2,)},
    "trace": {"trace": (), "standard_error": ()},
    "density": {"nodes": (2, 4), "weights": (2, 4), "size": ()},
    "noise": {"noise_scale": (), "low": (), "high": (), "trace": (), "squared_gradient": ()},
    "lags": {"norms": (7,), "rate": (), "weight_hh_l0": (4,)},
    "own": {"draw": ()},
}


def trained(name, callbacks, **settings):
    model = recurrent() if name == "lags" else dense()
    data = (SEQUENCES if name == "lags" else X, Y)
    cr.fit(model, data, callbacks=callbacks, **{"epochs": 3, "batch_size": 16, "progress": False, "seed": 5} | settings)
    return model.state_dict()


@pytest.mark.parametrize("compile", [None, False], ids=["as a plan", "define by run"])
@pytest.mark.parametrize("name", WATCHES)
def test_a_watched_run_is_the_same_bit_for_bit(name, compile):
    watch = WATCHES[name](every_steps=2)
    alone, watched = trained(name, [], compile=compile), trained(name, [watch], compile=compile)
    assert all(np.array_equal(alone[part], watched[part]) for part in alone)
    assert [(row["step"], row["epoch"]) for row in watch.records] == [
        (0, 0),
        (2, 0),
        (3, 1),
        (4, 1),
        (6, 2),
        (8, 2),
        (9, 3),
    ]
    for row in watch.records:
        assert {n: np.shape(v) for n, v in row.items() if n not in ("step", "epoch")} == FIGURES[name]
    assert json.loads(json.dumps(watch.records)) == watch.records


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_also_with_schedules_clipping_and_accumulated_gradients(optimizer):
    settings = {"optimizer": optimizer, "clip_norm": 0.5, "accumulate": 2, "schedule": lambda n: 0.1 / (n + 1)}
    alone = trained("trace", [], **settings)
    watched = trained("trace", [WATCHES["trace"](every_steps=1), WATCHES["noise"](every_steps=1)], **settings)
    assert all(np.array_equal(alone[part], watched[part]) for part in alone)


def test_records_are_what_the_functions_give():
    watch = [WATCHES[name](every_epochs=3) for name in ("eigenvalues", "trace", "noise", "jacobian")]
    model = dense()
    cr.fit(model, (X, Y), epochs=3, callbacks=watch, progress=False)
    eigenvalues, trace, noise, jacobian = (w.records[-1] for w in watch)
    assert [w.records[-1]["epoch"] for w in watch] == [3] * 4 and [len(w.records) for w in watch] == [2] * 4
    assert eigenvalues["eigenvalues"] == glass.hessian_eigenvalues(model, PROBE, k=2).tolist()
    assert trace["trace"] == glass.hessian_trace(model, PROBE, probes=3).value
    assert noise["noise_scale"] == glass.gradient_noise_scale(model, PROBE).value
    assert jacobian["singular_values"] == glass.layer_singular_values(model, X[:3]).tolist()


def test_a_second_run_starts_afresh_and_a_resumed_one_goes_on(tmp_path):
    watch, path = WATCHES["trace"](), tmp_path / "run.safetensors"
    trained("trace", [watch])
    trained("trace", [watch], epochs=2)
    assert [row["epoch"] for row in watch.records] == [0, 1, 2]
    trained("trace", [watch, cr.train.Checkpoint(path)], epochs=2)
    first = [dict(row) for row in watch.records]
    whole = trained("trace", [])
    resumed = trained("trace", [watch], resume=path)
    assert watch.records[:3] == first and [row["epoch"] for row in watch.records] == [0, 1, 2, 3]
    assert all(np.array_equal(whole[part], resumed[part]) for part in whole)


def test_weights_that_are_not_finite_are_not_measured():
    model = dense()
    model.fc1.weight.assign(np.full(model.fc1.weight.shape, np.nan))
    watch = WATCHES["eigenvalues"]()
    watch.on_start(SimpleNamespace(step=0, epoch=0, model=model))
    assert watch.records == []


@pytest.mark.parametrize("name", ["every_steps", "every_epochs"])
def test_every_is_a_count(name):
    with pytest.raises(cr.OptionError) as caught:
        glass.WatchTrace(PROBE, **{name: 0})
    assert str(caught.value) == f"WatchTrace expects {name} to be a whole number of at least 1, got 0."


def test_largest_values_without_matrices_are_those_of_the_matrices():
    model = dense()
    exact = glass.layer_singular_values(model, X[:3], "act1")
    found = glass.layer_singular_values(model, X[:3], "act1", 2, "lanczos")
    np.testing.assert_allclose(found, exact[:, :2], atol=1e-8)
