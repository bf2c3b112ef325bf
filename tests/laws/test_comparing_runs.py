"""compare: two runs that differ in one known thing part at the step, layer and quantity where it enters."""

from functools import partial

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.glass import Rerun
from chainrule.train import Callback, Checkpoint

N, BATCH = 50, 8  # 7 batches an epoch
STEPS = 21

rng = np.random.default_rng(0)
X = rng.standard_normal((N, 6)).astype(np.float32)
LABELS = rng.integers(0, 3, N)


class Spoil(Callback):
    """Changes one number of the run behind an update, as a fault would."""

    def __init__(self, step, change):
        self.step, self.change = step, change

    def on_step(self, run):
        if run.step == self.step:
            self.change(run)


def weight(run):
    run.model.fc2.weight.data[1, 2] += 0.25


def buffer(run):
    run.model.norm1.running_mean.data[3] += 0.5


def moment(run):
    run.optimizer.moments_of(run.model.fc1.weight)["m"][0, 1] += 0.125


def start(spoil=None, at=0, weights=3, rate=0.0, x=X, y=LABELS, callbacks=(), lr=0.01, **more):
    cr.seed(weights)
    model = cr.models.MLP(6, 5, 3, batch_norm=True, dropout=rate)
    given = {"model": model, "data": (x, y), "optimizer": cr.optim.Adam(model, lr=lr), "epochs": 3, "seed": 5}
    callbacks = [*([Spoil(at, spoil)] if spoil else []), *callbacks]
    return given | {"batch_size": BATCH, "progress": False, "callbacks": callbacks} | more


def rerun(path=None, **settings):
    if path is not None:
        cr.fit(**start(callbacks=[Checkpoint(path, every_steps=4, keep=9)], **settings))
    return Rerun(partial(start, **settings), path)


@pytest.fixture(params=["from the beginning", "with checkpoints"])
def pair(request, tmp_path):
    """Makes two runs, one plain and one with other settings."""
    if request.param == "from the beginning":
        return lambda **other: (rerun(), rerun(**other))
    return lambda **other: (rerun(tmp_path / "a.safetensors"), rerun(tmp_path / "b.safetensors", **other))


def test_equal_runs_do_not_part(pair):
    parting = cr.compare(*pair())
    assert (parting.step, parting.first, dict(parting), parting.steps) == (None, None, {}, (STEPS, STEPS))
    assert str(parting) == "The runs are the same for all 21 steps."


def test_one_run_is_longer(pair):
    parting = cr.compare(*pair(epochs=2))
    assert parting.step is None
    assert str(parting) == "The runs are the same for all 14 steps of the second.\n  steps   21 and 14"


@pytest.mark.parametrize("step", [1, 6, 7, 8, 13, 20])
@pytest.mark.parametrize(
    ("spoil", "name", "largest", "place"),
    [
        (weight, "fc2.weight.update", 0.25, (1, 2)),
        (buffer, "norm1.running_mean.update", 0.5, (3,)),
        (moment, "optimizer.0.m.update", 0.125, (1,)),
    ],
)
def test_a_number_is_changed_behind_a_step(pair, spoil, step, name, largest, place):
    parting = cr.compare(*pair(spoil=spoil, at=step))
    assert parting.step == step - 1
    assert parting.first.name == name
    assert parting.first.largest == pytest.approx(largest, rel=1e-4)
    assert parting.first.place == place


@pytest.mark.parametrize("row", [0, 17, 49])
def test_one_example_is_another(pair, row):
    x = X.copy()
    x[row, 4] += 1.0
    ours, theirs = pair(x=x)
    parting = cr.compare(ours, theirs)
    order = cr.data.Loader(X, LABELS, BATCH, 5).order(0)
    step = int(np.flatnonzero(order == row)[0]) // BATCH
    assert (parting.step, parting.first.name) == (step, "x")
    assert parting.first.place == (int(np.flatnonzero(order == row)[0]) % BATCH, 4)
    assert {"fc1.z", "loss", "fc1.weight.gradient", "fc1.weight.update"} <= parting.keys()
    assert "fc1.weight" not in parting


def test_the_first_in_the_order_of_a_step():
    """Weights, masks, layers, losses, penalties, rates: each where it enters."""
    first = {
        "fc1.weight": {"weights": 4},
        "drop1.a": {"rate": 0.2},
        "loss": {"penalty": cr.losses.HalfL2(0.1)},
        "lr": {"lr": 0.02},
        "fc1.weight.update": {"clip_norm": 0.1},
        "x": {"seed": 6},
    }
    for name, settings in first.items():
        parting = cr.compare(rerun(), rerun(**settings))
        assert (parting.step, next(iter(parting))) == (0, name)
    parting = cr.compare(rerun(), rerun(schedule=lambda step: 0.01 if step < 13 else 0.02))
    assert (parting.step, next(iter(parting))) == (13, "lr")


def test_the_search_reads_checkpoints_and_repeats_only_what_lies_between(tmp_path):
    told = []

    class Count(Callback):
        def on_step(self, run):
            told.append(run.step)

    a, b = rerun(tmp_path / "a.safetensors"), rerun(tmp_path / "b.safetensors", spoil=weight, at=14)
    counted = Rerun(lambda: start(callbacks=[Count()]), a.path)
    assert cr.compare(counted, b).step == 13
    assert sorted(set(told)) == [13, 14]  # saved at 12 and, at the end of the epoch, at 14


def test_a_run_that_broke_off():
    """Both go to the step at which one had no finite loss."""

    def begin(lr):
        cr.seed(0)
        model = nn.Sequential(fc=nn.Linear(6, 1))
        optimizer = cr.optim.SGD(model, lr=lr)
        return {"model": model, "data": (X, X[:, 0] * 1e3), "loss": "mse", "optimizer": optimizer, "progress": False}

    with np.errstate(all="ignore"):
        parting = cr.compare(Rerun(lambda: begin(1e4)), Rerun(lambda: begin(1e4)))
        assert parting.step is None
        assert 1 < parting.steps[0] == parting.steps[1] < 20
        assert cr.compare(Rerun(lambda: begin(1e4)), Rerun(lambda: begin(1e-4))).first.name == "lr"


def test_one_run_breaks_off_where_the_other_goes_on():
    def begin(factor):
        given = start(compile=False)
        del given["callbacks"]
        return given | {"penalty": lambda model: cr.exp(factor * model.fc1.weight.sum() ** 2)}

    with np.errstate(all="ignore"):
        parting = cr.compare(Rerun(lambda: begin(1e4)), Rerun(lambda: begin(0.0)))
    assert (parting.step, parting.first.name, parting.first.largest) == (0, "loss", np.inf)


# --- the report -------------------------------------------------------------------------------------------


def test_the_report_of_a_changed_weight():
    parting = cr.compare(rerun(), rerun(spoil=weight, at=9))
    assert repr(parting) == "<Parting: The runs part at step 8 (epoch 2, batch 2): the update of fc2.weight differs.>"
    head, layer, apart, same = str(parting).split("\n")
    assert head == "The runs part at step 8 (epoch 2, batch 2): the update of fc2.weight differs."
    assert layer == "  layer   fc2 = Linear(5 → 3)"
    first, second = parting.first.first[1, 2], parting.first.second[1, 2]
    assert apart == f"  apart   by 0.25 at 1, 2: {first:.4g} and {second:.4g}; 1 of 15 entries differ"
    assert same == (
        "  same    the data, the model, the optimiser, all outputs, the loss, all gradients, and the learning rate"
    )


def integers(x):
    return np.round(4 * x)  # sums of which are exact, whatever the order


def test_the_report_of_other_data():
    order = cr.data.Loader(X, LABELS, BATCH, 5).order(0)
    x, other = integers(X), integers(X)
    other[order[19], 4] += 8
    parting = cr.compare(rerun(x=x), rerun(x=other))
    lines = str(parting).split("\n")
    a = x[order[19], 4]
    rows = ", ".join(map(str, order[16:20]))
    assert lines[:3] == [
        "The runs part at step 2 (epoch 1, batch 3): the data differs.",
        f"  apart   by 8 at 3, 4: {a:.4g} and {a + 8:.4g}; 1 of 48 entries differ",
        f"  rows    {rows}, … and {rows}, …",
    ]
    assert lines[3].startswith("  then    fc1.z ")
    assert lines[4].startswith("  setting data: (50, 6) with targets (50,), checksum ")


def test_the_report_of_another_learning_rate():
    parting = cr.compare(rerun(), rerun(lr=0.03))
    lines = str(parting).split("\n")
    assert lines[:3] == [
        "The runs part at step 0 (epoch 1, batch 1): the learning rate differs.",
        "  apart   by 0.02: 0.01 and 0.03",
        "  same    the data, the model, the optimiser, all outputs, the loss, and all gradients",
    ]
    assert lines[-1] == "  setting learning rate: 0.01 and 0.03"


def test_models_of_other_shapes():
    def begin(width):
        return start() | {"model": (model := cr.models.MLP(6, width, 3)), "optimizer": cr.optim.SGD(model, lr=0.1)}

    assert (
        str(cr.compare(Rerun(lambda: begin(4)), Rerun(lambda: begin(5))))
        == """\
The runs part at step 0 (epoch 1, batch 1): parameter fc1.weight before the step differs.
  layer   fc1 = Linear(6 → 4) and Linear(6 → 5)
  apart   shape (4, 6) and (5, 6)
  same    the data
  then    fc1.bias, fc2.weight, optimizer.0.sizes 6, fc1.z, and 13 more
  setting model: (fc1): Linear(6 → 4) and (fc1): Linear(6 → 5)"""
    )


def test_a_layer_that_only_one_has():
    parting = cr.compare(rerun(), rerun(rate=0.2))
    lines = str(parting).split("\n")
    assert lines[:4] == [
        "The runs part at step 0 (epoch 1, batch 1): the output drop1.a differs.",
        "  layer   drop1 = none and Dropout(p=0.2)",
        "  apart   only the second run has it",
        "  same    the data, the model and the optimiser before the step, and all outputs before this one",
    ]
    assert lines[-1] == "  setting model: (fc2): Linear(5 → 3) and (drop1): Dropout(p=0.2)"
