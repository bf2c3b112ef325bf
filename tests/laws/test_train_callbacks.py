"""Callbacks: early stopping, checkpoints, the log, schedules, and the progress line."""

import csv
import io
from types import SimpleNamespace

import numpy as np
import pytest

import chainrule as cr
from chainrule.base.files import read_arrays
from chainrule.train import Callback, Checkpoint, CSVLog, EarlyStopping, History, Run
from chainrule.train import progress as progress_line
from chainrule.train.pieces import joined, parted
from chainrule.train.progress import Progress

X = np.random.default_rng(0).standard_normal((40, 4)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(int)


def mlp():
    cr.seed(0)
    return cr.models.MLP(4, 3, 2)


def fit(model, **settings):
    return cr.fit(model, (X, Y), **{"progress": False, "batch_size": 10, "epochs": 3} | settings)


# --- early stopping --------------------------------------------------------------------------------------


class Weights:
    """A model whose only weight is the number of the epoch."""

    def __init__(self):
        self.epoch = 0

    def state_dict(self):
        return {"epoch": np.array(self.epoch)}

    def load_state_dict(self, state):
        self.epoch = int(state["epoch"])


def watched(callback, figures, first=1, name="validation_loss"):
    """Epochs with these figures, until the callback stops: the last epoch, and the one it restored."""
    run = SimpleNamespace(model=Weights(), history=History(), epoch=0, step=0, stopped="", validation=object())
    run.stop = lambda reason: setattr(run, "stopped", reason)
    callback.on_start(run)
    for epoch, figure in enumerate(figures, start=first):
        run.epoch = run.model.epoch = epoch
        run.history.append({"epoch": epoch, name: figure})
        callback.on_epoch(run)
        if run.stopped:
            break
    callback.on_end(run)
    return run.epoch, run.model.epoch, run.stopped


DOCUMENT = (0.40, 0.38, 0.37, 0.375, 0.373, 0.376, 0.379, 0.382)  # epochs 10 to 17 of 004 §3.6.1


@pytest.mark.parametrize(("patience", "last"), [(1, 13), (2, 14), (3, 15), (4, 16), (5, 17)])
def test_the_documents_losses(patience, last):
    """Below the best so far, stop when patience epochs have passed: 14 and 16 where 004 prints 17 and 19."""
    stopped = watched(EarlyStopping(patience=patience), DOCUMENT, first=10)
    assert stopped == (last, 12, "early stopping")


def test_without_a_stop_the_best_weights_come_back_too():
    assert watched(EarlyStopping(patience=6), DOCUMENT, first=10) == (17, 12, "")


def test_min_delta_and_largest_and_restore_best():
    slow = (1.0, 0.95, 0.91, 0.86, 0.8)
    assert watched(EarlyStopping(patience=2, min_delta=0.1), slow) == (3, 1, "early stopping")
    assert watched(EarlyStopping(patience=2, min_delta=0.08), slow) == (5, 5, "")
    assert watched(EarlyStopping(patience=1, min_delta=0.25), (1.0, 0.75)) == (2, 1, "early stopping")
    score = EarlyStopping("validation_accuracy", patience=2, largest=True)
    figures = (0.5, 0.9, 0.8, 0.7, 0.6)
    assert watched(score, figures, name="validation_accuracy") == (4, 2, "early stopping")
    assert watched(EarlyStopping(patience=2, restore_best=False), (1, 2, 3, 4)) == (3, 3, "early stopping")
    assert watched(EarlyStopping(patience=3), (1, float("nan"), float("nan"), 0.5)) == (4, 4, "")


def test_a_second_run_starts_afresh():
    callback = EarlyStopping(patience=2)
    first = watched(callback, DOCUMENT, first=10)
    assert watched(callback, DOCUMENT, first=10) == first


def test_the_state_of_early_stopping_survives():
    callback, other = EarlyStopping(patience=2), EarlyStopping(patience=2)
    watched(callback, DOCUMENT[:3])
    other.load_state_dict(joined(*parted(callback.state_dict())))
    assert (other.best, other.best_epoch, other.waited) == (0.37, 3, 0)
    assert other.weights["epoch"] == 3


def test_an_interrupted_run_keeps_its_weights():
    callback = EarlyStopping()
    run = SimpleNamespace(model=Weights(), stopped="interrupted")
    callback.weights = {"epoch": np.array(7)}
    callback.on_end(run)
    assert run.model.epoch == 0


# --- order, checkpoints, log -----------------------------------------------------------------------------


class Told(Callback):
    """Writes down what it is told."""

    def __init__(self, name, book):
        self.name, self.book = name, book

    def on_start(self, run):
        self.book.append((self.name, "start", run.step))

    def on_step(self, run):
        self.book.append((self.name, "step", run.step))

    def on_epoch(self, run):
        self.book.append((self.name, "epoch", run.epoch, len(run.history)))

    def on_end(self, run):
        self.book.append((self.name, "end", run.stopped))


class ToldCheckpoint(Told, Checkpoint):
    """A checkpoint that only writes down."""


def test_the_order_of_callbacks():
    book = []
    fit(
        mlp(),
        epochs=1,
        batch_size=20,
        callbacks=[ToldCheckpoint("c", book), Told("a", book), Told("b", book)],
    )
    moments = [("start", 0), ("step", 1), ("step", 2), ("epoch", 1, 1)]
    expected = [(name, *moment) for moment in moments for name in "abc"]
    assert book == [*expected, *((name, "end", "finished") for name in "cba")]


class Numbered(Checkpoint):
    """A checkpoint that counts."""

    def _save(self, run):
        super()._save(run)
        self.steps = [*getattr(self, "steps", []), run.step]


@pytest.mark.parametrize(
    ("every", "steps"),
    [
        ({}, [4, 8, 12]),
        ({"every_steps": 3}, [3, 4, 6, 8, 9, 12, 12]),
        ({"every_steps": 5, "every_epochs": None}, [5, 10, 12]),
        ({"every_epochs": 2}, [8, 12]),
        ({"every_epochs": None}, [12]),
    ],
)
def test_when_checkpoints_are_saved(every, steps, tmp_path):
    checkpoint = Numbered(tmp_path / "run.safetensors", **every)
    fit(mlp(), callbacks=[checkpoint])
    assert checkpoint.steps == steps
    assert [p.name for p in tmp_path.iterdir()] == ["run.safetensors"]


def test_the_checkpoint_of_the_end_holds_the_last_weights_not_the_best(tmp_path):
    """The optimiser's moments belong to the last; the best are kept beside them."""
    path, last = tmp_path / "run.safetensors", {}

    class Last(Callback):
        def on_epoch(self, run):
            last.update(run.model.state_dict())

    stopping = EarlyStopping(patience=9)
    model = mlp()
    optimizer = cr.optim.SGD(model, lr=30.0)
    checkpoint = Checkpoint(path, every_epochs=None)
    fit(model, optimizer=optimizer, validation=(X, Y), callbacks=[checkpoint, stopping, Last()], epochs=5)
    arrays, _ = read_arrays(path)
    assert stopping.best_epoch < 5
    for name, array in last.items():
        np.testing.assert_array_equal(arrays[f"model/{name}"], array)
        np.testing.assert_array_equal(model.state_dict()[name], stopping.weights[name])


def test_the_log(tmp_path):
    log, run = tmp_path / "log.csv", tmp_path / "run.safetensors"
    history = fit(mlp(), callbacks=[CSVLog(log), Checkpoint(run)])
    with open(log, encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert [{name: float(text) for name, text in row.items()} for row in found] == history.rows
    fit(mlp(), epochs=4, validation=(X, Y), callbacks=[CSVLog(log)], resume=run)
    with open(log, encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert [bool(row["validation_loss"]) for row in found] == [False, False, False, True]


def test_a_schedule_sets_the_rate_of_every_step():
    rates = []

    class Rates(Callback):
        def on_step(self, run):
            rates.append(run.optimizer.lr)  # already that of the next step

    model = mlp()
    schedule = cr.optim.StepDecay(0.1, every=5, factor=0.5)
    seen = []
    optimizer = cr.optim.SGD(model, lr=9.0)
    optimizer.update = lambda *arrays, lr, **_: seen.append(lr)
    history = fit(model, optimizer=optimizer, schedule=schedule, callbacks=[Rates()])
    assert seen == [schedule(step) for step in range(12)]
    assert rates == [schedule(step) for step in range(1, 13)]
    assert history["lr"] == [schedule(step) for step in (4, 8, 12)]


def test_a_callback_may_stop_before_the_first_step():
    class Never(Callback):
        def on_start(self, run):
            run.stop("no")

    model = mlp()
    before = model.state_dict()
    history = fit(model, callbacks=[Never()])
    assert (len(history), history.stopped) == (0, "no")
    np.testing.assert_array_equal(model.state_dict()["fc1.weight"], before["fc1.weight"])


class Memory(Callback):
    """Keeps nested numbers, texts and arrays."""

    def __init__(self, kept=None):
        self.kept = kept

    def state_dict(self):
        return self.kept

    def load_state_dict(self, state):
        self.kept = state


def test_what_a_callback_keeps_comes_back(tmp_path):
    path = tmp_path / "run.safetensors"
    kept = {
        "a": {"b": np.arange(3), "c": [1, 2.5, None, True, "text", np.zeros((0, 2))]},
        "a/b": np.ones((2, 2)),
        "array": "a/b",
        "number": np.float32(0.1),
        "infinite": float("inf"),
        "scalar": np.array(3),
    }
    fit(mlp(), callbacks=[Memory(kept), Checkpoint(path)])
    memory = Memory()
    fit(mlp(), callbacks=[memory], resume=path)
    np.testing.assert_equal(memory.kept, kept)
    assert memory.kept["scalar"].shape == ()


# --- the history and the progress line -------------------------------------------------------------------


def test_the_history():
    history = fit(mlp(), validation=(X, Y))
    assert history.stopped == "finished"
    assert len(history) == len(list(history)) == 3
    assert history.columns == [
        "epoch", "step", "lr", "train_loss", "train_accuracy",
        "validation_loss", "validation_accuracy", "seconds",
    ]  # fmt: skip
    assert history["epoch"] == [1, 2, 3]
    assert history["step"] == [4, 8, 12]
    assert history.best()["validation_loss"] == min(history["validation_loss"])
    assert str(history).splitlines()[0].split() == history.columns
    with pytest.raises(KeyError, match="no column 'loss'; there are epoch, step"):
        history["loss"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_one_live_line(monkeypatch):
    monkeypatch.setattr(progress_line, "REFRESH", 0.0)
    monkeypatch.setenv("COLUMNS", "60")
    stream = Terminal()
    fit(mlp(), callbacks=[Progress("demo", stream)], compile=False)  # as a plan, several steps are made at once
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert text.endswith("\n")
    drawn = text.rstrip("\n").split("\r\x1b[2K")[1:]
    assert len(drawn) == 13  # 12 steps and the end
    assert all(len(line) < 60 for line in drawn)
    assert drawn[0].startswith("demo  epoch 0/3  ━━──────────────────")
    assert drawn[-1].startswith("demo  epoch 3/3  ━━━━━━━━━━━━━━━━━━━━  train loss 0.")


def test_the_bar_counts_batches_also_where_they_are_accumulated(monkeypatch):
    monkeypatch.setattr(progress_line, "REFRESH", 0.0)
    stream = Terminal()
    fit(mlp(), callbacks=[Progress(stream=stream)], accumulate=4)
    assert "epoch 3/3  ━━━━━━━━━━━━━━━━━━━━" in stream.getvalue().split("\r\x1b[2K")[-1]


def test_elsewhere_about_ten_lines():
    stream = io.StringIO()
    fit(mlp(), epochs=30, callbacks=[Progress("demo", stream)], validation=(X, Y))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[-1].startswith("demo  epoch 30/30  ━━━━━━━━━━━━━━━━━━━━  train loss ")
    assert "val loss" in lines[-1]
    assert "val accuracy" in lines[-1]


def test_silence(capfd):
    fit(mlp())
    assert capfd.readouterr() == ("", "")


def test_progress_goes_to_stderr(capsys):
    fit(mlp(), progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 3


def test_a_run_can_be_made_by_hand():
    model = mlp()
    loader = cr.data.Loader(X, Y, 10)
    run = Run(model, cr.optim.Adam(model), loader, cr.losses.cross_entropy, epochs=1)
    assert (run.epoch, run.batch, run.step, run.stopped) == (0, 0, 0, "")
