"""The time machine: any step of a finished run is the moment an interrupted run has there, bit for bit."""

from functools import partial

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.glass import Rerun
from chainrule.train import Callback, Checkpoint, EarlyStopping
from chainrule.train.checkpoints import kept

N, BATCH, EPOCHS = 50, 8, 3  # 7 batches an epoch, the last one of 2

rng = np.random.default_rng(0)
X = rng.standard_normal((N, 6)).astype(np.float32)
LABELS = rng.integers(0, 3, N)
IMAGES = rng.standard_normal((N, 1, 6, 6)).astype(np.float32)
SEQUENCES = rng.standard_normal((N, 5, 6)).astype(np.float32)


class LastState(nn.Module):
    def __init__(self):
        self.lstm, self.head = nn.LSTM(6, 4, batch_first=True), nn.Linear(4, 3)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


def mlp(**settings):
    return cr.models.MLP(6, 5, 3, **settings)


def conv():
    return nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Dropout(0.3), nn.Flatten(), nn.Linear(32, 3)
    )


ADAM = partial(cr.optim.Adam, lr=0.01)
RUNS = {
    "plain": (mlp, partial(cr.optim.SGD, lr=0.1), dict),
    "no plan": (partial(mlp, dropout=0.3), ADAM, lambda: {"compile": False}),
    "dropout and batch norm": (partial(mlp, dropout=0.3, batch_norm=True), ADAM, lambda: {"validation": (X, LABELS)}),
    "schedule": (
        mlp,
        partial(cr.optim.SGD, lr=0.1, momentum=0.5),
        lambda: {"schedule": cr.optim.LinearWarmup(5, cr.optim.Cosine(0.1, 16))},
    ),
    "accumulate": (partial(mlp, dropout=0.2), ADAM, lambda: {"accumulate": 2}),
    "accumulate, no plan": (partial(mlp, dropout=0.2), ADAM, lambda: {"accumulate": 3, "compile": False}),
    "early stopping": (
        mlp,
        partial(cr.optim.RMSprop, lr=0.02),
        lambda: {"validation": (X, LABELS), "callbacks": [EarlyStopping(patience=20)]},
    ),
    "penalty and clipping": (mlp, ADAM, lambda: {"penalty": cr.losses.HalfL2(0.1), "clip_norm": 0.5}),
    "convolution": (conv, ADAM, lambda: {"data": (IMAGES, LABELS)}),
    "recurrence": (LastState, ADAM, lambda: {"data": (SEQUENCES, LABELS)}),
}


def start(name):
    build, optimise, settings = RUNS[name]
    cr.seed(3)
    model = build()
    given = {"model": model, "data": (X, LABELS), "optimizer": optimise(model), "epochs": EPOCHS, "batch_size": BATCH}
    return given | {"progress": False, "seed": 5} | settings()


def trained(name, *callbacks):
    given = start(name)
    given["callbacks"] = [*given.get("callbacks", []), *callbacks]
    return cr.fit(**given)


class Interrupt(Callback):
    """Ctrl-C in a step; keeps the run as it is left."""

    def __init__(self, step):
        self.step = step

    def on_start(self, run):
        self.run = run

    def on_step(self, run):
        if run.step == self.step:
            run.stop("interrupted")


def interrupted(name, step):
    stop = Interrupt(step)
    trained(name, stop)
    assert stop.run.step == step
    return stop.run


def state(run):
    """Everything of a run, arrays as bytes, without the seconds that epochs took."""
    whole = run._state()
    whole["history"] = [{k: v for k, v in row.items() if k != "seconds"} for row in whole["history"]]
    for part in (whole["model"], whole["optimizer"]["arrays"], *whole["callbacks"]):
        part.update({k: (v.shape, v.dtype, v.tobytes()) for k, v in part.items() if isinstance(v, np.ndarray)})
    return whole


def steps_of(name):
    return EPOCHS * -(-7 // RUNS[name][2]().get("accumulate", 1))


@pytest.mark.parametrize("name", RUNS)
def test_a_moment_is_that_of_an_interrupted_run(name, tmp_path):
    path, last = tmp_path / "run.safetensors", steps_of(name)
    trained(name, Checkpoint(path, every_steps=2, keep=4))
    assert len(kept(path)) == 4
    for run in (Rerun(partial(start, name), path), Rerun(partial(start, name))):
        for step in (1, 4, last // EPOCHS, last // EPOCHS + 1, last - 1):
            moment = cr.at(run, step)
            expected = interrupted(name, step)
            assert state(moment.run) == state(expected)
            assert (moment.step, moment.epoch, moment.batch) == (step, expected.epoch, expected.batch)


@pytest.mark.parametrize("name", RUNS)
def test_it_goes_on_as_the_run_did_after_it_was_looked_at(name, tmp_path):
    """Gradients, losses and explanations change nothing: saved and resumed, the moment ends as the run did."""
    path = tmp_path / "moment.safetensors"
    moment = cr.at(Rerun(partial(start, name)), 4)
    before = state(moment.run)
    moment.gradients(), moment.loss()
    assert state(moment.run) == before
    moment.run.save(path)
    ends = []
    for resume in (path, None):
        ending = Interrupt(None)
        given = start(name)
        given["callbacks"] = [*given.get("callbacks", []), ending]
        cr.fit(**given, resume=resume)
        ends.append(state(ending.run))
    assert ends[0] == ends[1]


@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_rows_loss_and_gradients_are_those_of_the_step(accumulate, dropout):
    """Spied on as the run goes: inputs at the first layer, gradients in the optimiser."""
    seen, gradients, losses = [], [], []

    class Spy(nn.Module):
        def forward(self, x):
            seen.append(x.numpy().copy())
            return x

    class Spied(cr.optim.SGD):
        def step(self):
            gradients.append([p.grad.numpy().copy() for p in self.parameters()])
            super().step()

    def begin():
        cr.seed(1)
        model = nn.Sequential(Spy(), nn.Linear(6, 5), nn.ReLU(), nn.Dropout(dropout), nn.Linear(5, 3))
        losses.clear()

        def loss(z, y):
            value = cr.losses.cross_entropy(z, y)
            losses.append(float(value))
            return value

        return {
            "model": model, "data": (X, LABELS), "loss": loss, "optimizer": Spied(model, lr=0.1), "epochs": 2,
            "batch_size": BATCH, "accumulate": accumulate, "seed": 5, "progress": False, "compile": False,
        }  # fmt: skip

    cr.fit(**begin())
    batches, whole, values = list(seen), list(gradients), list(losses)
    first = 0
    for step, expected in enumerate(whole):
        moment = cr.at(Rerun(begin), step)
        mine = batches[first : first + len(moment.batches)]
        np.testing.assert_array_equal(moment.x, np.concatenate(mine))
        np.testing.assert_array_equal(moment.y, LABELS[moment.rows])
        for found, wanted in zip(moment.gradients().values(), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)
        parts = values[first : first + len(mine)]
        assert moment.loss() == pytest.approx(np.average(parts, weights=[len(b) for b in mine]), rel=1e-12)
        first += len(mine)
    assert first == len(batches)


def test_the_end_has_no_batch():
    moment = cr.at(Rerun(partial(start, "plain")), 21)
    assert moment.batches == ()
    assert repr(cr.at(Rerun(partial(start, "plain")), 9)) == "<Moment at step 9: epoch 2, batch 3 of 7>"
    with pytest.raises(cr.OptionError) as caught:
        moment.gradients()
    assert str(caught.value) == "The run ends with step 21: there is no batch behind it.\n  try     an earlier step"


@pytest.mark.parametrize("name", ["plain", "dropout and batch norm"])
def test_a_moment_can_be_explained(name):
    """In float64, with the masks of the step."""
    moment = cr.at(Rerun(partial(start, name)), 9)
    explanation, gradients = moment.explain(), moment.gradients()
    assert explanation.checked
    np.testing.assert_allclose(explanation["fc1.dW"], gradients["fc1.weight"], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(explanation["fc2.db"], gradients["fc2.bias"], rtol=1e-4, atol=1e-6)


def test_the_step_that_spoiled_a_run_is_diagnosed():
    """The run breaks off at a step, by dropout's mask of that step too; there it says why."""

    class Log(nn.Module):
        def forward(self, x):
            return cr.log(x)

    def begin():
        cr.seed(1)
        model = nn.Sequential(
            fc1=nn.Linear(6, 5), act=nn.Softplus(), drop=nn.Dropout(0.001), log=Log(), fc2=nn.Linear(5, 3)
        )
        return start("plain") | {"model": model, "optimizer": cr.optim.SGD(model, lr=0.01), "epochs": 9}

    with np.errstate(all="ignore"), pytest.raises(cr.NumericalError, match="at step") as caught:
        cr.fit(**begin())
    step = int(caught.value.headline.split("at step ")[1].split()[0])
    assert step > 0
    run = Rerun(begin)
    assert cr.at(run, step - 1).diagnose()
    moment = cr.at(run, step)
    before = state(moment.run)
    diagnosis = moment.diagnose()
    assert (diagnosis.layer, diagnosis.rule, diagnosis.phase) == ("log", "log of 0", "forward")
    assert state(moment.run) == before


# --- moments that are kept --------------------------------------------------------------------------------


def test_kept_moments_are_spread_over_the_run(tmp_path):
    path = tmp_path / "run.safetensors"
    trained("plain", Checkpoint(path, every_steps=1, keep=5))
    steps = list(kept(path))
    assert len(steps) == 5
    assert steps[0] == 0
    assert steps[-1] == 21
    assert max(np.diff(steps)) <= 2 * 21 / 4
    trained("plain", Checkpoint(path, keep=2))
    assert list(kept(path)) == [0, 21]


def test_a_kept_moment_is_not_written_over_by_the_next(tmp_path):
    path = tmp_path / "run.safetensors"
    trained("plain", Checkpoint(path, every_steps=5, every_epochs=None, keep=9))
    assert list(kept(path)) == [0, 5, 10, 15, 20, 21]
    assert list(Rerun(partial(start, "plain"), path).moments) == [0, 5, 10, 15, 20, 21]
    for step, moment in kept(path).items():
        resumed = Interrupt(None)
        cr.fit(**start("plain") | {"callbacks": [resumed], "resume": moment, "epochs": 3})
        assert resumed.run.step == 21, step


def test_only_the_steps_between_are_repeated(tmp_path):
    path = tmp_path / "run.safetensors"
    trained("plain", Checkpoint(path, every_steps=5, every_epochs=None, keep=9))
    told = []

    class Count(Callback):
        def on_step(self, run):
            told.append(run.step)

    Rerun(partial(start, "plain"), path).run_to(13, [Count()])
    assert told == [11, 12, 13]


def test_a_moment_saved_before_its_epoch_was_concluded(tmp_path):
    """The last step of an epoch, saved as a step: the row of the epoch was not in the history yet."""
    path = tmp_path / "run.safetensors"
    trained("plain", Checkpoint(path, every_steps=7, every_epochs=None, keep=9))
    run = Rerun(partial(start, "plain"), path)
    assert list(run.moments) == [0, 7, 14, 21]
    for step in (7, 14):
        assert state(cr.at(run, step).run) == state(interrupted("plain", step))


def test_files_are_left_alone(tmp_path):
    path = tmp_path / "run.safetensors"

    def begin():
        return start("plain") | {"callbacks": [Checkpoint(path, keep=3), cr.train.CSVLog(tmp_path / "log.csv")]}

    cr.fit(**begin())
    before = {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    cr.at(Rerun(begin, path), 10)
    assert {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()} == before
