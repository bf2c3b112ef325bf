"""The whole text of each message of training, and what is left after it."""

import errno
import json
import os
import re

import numpy as np
import pytest

import chainrule as cr
from chainrule.base import files
from chainrule.base.errors import CheckpointError, DataError, NumericalError, OptionError, ShapeError
from chainrule.train import Callback, Checkpoint, EarlyStopping
from chainrule.train.step import KEPT_EVERY

X = np.random.default_rng(0).standard_normal((40, 4)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(int)


def mlp(**settings):
    cr.seed(0)
    return cr.models.MLP(4, 3, 2, **settings)


def fit(model=None, data=(X, Y), *args, **settings):
    return cr.fit(model or mlp(), data, *args, **{"progress": False, "batch_size": 10, "epochs": 3} | settings)


def refuses(kind, text):
    return pytest.raises(kind, match=f"^{re.escape(text)}$")


def same(first, second):
    assert first.keys() == second.keys()
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name], err_msg=name)


# --- settings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"epochs": 0}, "fit expects epochs to be a whole number of at least 1, got 0."),
        ({"epochs": 2.5}, "fit expects epochs to be a whole number of at least 1, got 2.5."),
        ({"accumulate": 0}, "fit expects accumulate to be a whole number of at least 1, got 0."),
        ({"clip_norm": 0}, "fit expects clip_norm to be a positive number, got 0."),
        ({"seed": None}, "fit expects seed to be a whole number, got None."),
        (
            {"batch_size": 0},
            "batch_size is a whole number of at least 1, got 0.\n"
            "  try     32 to 128 are usual; 40 takes all examples at once",
        ),
        (
            {"loss": "cross"},
            f"There is no loss 'cross'.\n  try     {', '.join(sorted(cr.losses.LOSSES))}",
        ),
        ({"loss": 3}, 'A loss is a function or a name, got int.\n  try     loss="cross-entropy"'),
        (
            {"optimizer": "adan"},
            f"There is no optimiser 'adan'.\n  known   {', '.join(cr.optim.OPTIMIZERS)}",
        ),
        (
            {"optimizer": cr.optim.Adam},
            "An optimiser is made for the model, or a name, got the class Adam.\n"
            '  try     optimizer=cr.optim.Adam(model, lr=1e-3), or optimizer="adam"',
        ),
        (
            {"callbacks": [print]},
            "A callback is a Callback, got a builtin_function_or_method.\n"
            "  try     class Mine(cr.train.Callback): def on_epoch(self, run): ...",
        ),
        (
            {"callbacks": [EarlyStopping()]},
            "There is no validation data, so 'validation_loss' cannot be watched.\n"
            '  try     fit(..., validation=...), or EarlyStopping("train_loss")',
        ),
        (
            {"callbacks": [EarlyStopping("accuracy")]},
            "There is no figure 'accuracy' to watch.\n  known   step, lr, train_loss, train_accuracy, seconds",
        ),
    ],
)
def test_settings(settings, text):
    with refuses(OptionError, text):
        fit(**settings)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: EarlyStopping(patience=0),
            "EarlyStopping expects patience to be a whole number of at least 1, got 0.",
        ),
        (
            lambda: EarlyStopping(min_delta=-1),
            "EarlyStopping expects min_delta to be zero or a positive number, got -1.",
        ),
        (
            lambda: Checkpoint("x", every_steps=-5),
            "Checkpoint expects every_steps to be a whole number of at least 1, got -5.",
        ),
    ],
)
def test_settings_of_callbacks(make, text):
    with refuses(OptionError, text):
        make()


def test_losses_that_cannot_be_minimised():
    with refuses(
        OptionError,
        "The loss function gave a float, which has no gradient.\n"
        "  try     operations of chainrule on the prediction itself, such as cr.mean((z - y) ** 2)",
    ):
        fit(loss=lambda z, y: 1.0)
    with refuses(
        OptionError, 'A loss is one number, this one has shape (10,).\n  try     reduction="mean", or cr.mean'
    ):
        fit(loss=lambda z, y: cr.losses.cross_entropy(z, y, reduction="none"))


# --- data ------------------------------------------------------------------------------------------------


def test_data_of_another_kind():
    with refuses(
        OptionError,
        "Data is a Dataset, a Loader or a pair (x, y), got ndarray.\n  try     cr.data.from_arrays(x, y)",
    ):
        fit(data=X)


def test_nan_in_data_is_named_by_row_and_column():
    x = X.copy()
    x[7, 2] = np.nan
    text = (
        "x holds a value that is not finite: nan.\n"
        "  where   row 7, column 2 (counted from 0)\n"
        "  try     drop these rows, or fill the gaps, before training"
    )
    model = mlp()
    before = model.state_dict()
    for settings in ({"data": (x, Y)}, {"validation": (x, Y)}, {"data": cr.data.Loader(x, Y, 10)}):
        with refuses(DataError, text):
            fit(model, **settings)
    with refuses(DataError, text):
        cr.evaluate(model, (x, Y))
    same(model.state_dict(), before)


def test_empty_data():
    with refuses(
        DataError,
        "The data is empty: x has shape (0, 4).\n  try     check the file, or the condition that selected the rows",
    ):
        fit(data=(X[:0], Y[:0]))


def test_labels_without_an_output():
    """Told with the row in the data, before the first update."""
    labels = np.arange(40) % 10
    labels[[23, 31]] = 10
    model = cr.nn.Linear(4, 10)
    before = model.state_dict()
    ten = "Label 10 has no output: the model has 10, for labels 0 to 9.\n"
    rest = "  count   2 of 40 labels\n  try     an output layer of 11 units, if there are 11 classes"
    with refuses(DataError, f"{ten}  where   row 23 of the data (counted from 0)\n{rest}"):
        fit(model, (X, labels))
    with refuses(DataError, f"{ten}  where   row 23 of the validation data (counted from 0)\n{rest}"):
        fit(model, (X, labels % 10), validation=(X, labels))
    with refuses(
        DataError,
        "Label 2 has no output: the model has 2, for labels 0 to 1.\n"
        "  where   row 1 of the data (counted from 0)\n  count   20 of 40 labels\n"
        "  try     y - 1, for labels count from 0",
    ):
        fit(data=(X, np.arange(40) % 2 + 1))
    with refuses(
        DataError,
        "Label 2 has no output: the model has 1, for labels 0 to 1.\n"
        "  where   row 2 of the data (counted from 0)\n  count   13 of 40 labels\n"
        "  try     an output layer of 3 units, if there are 3 classes",
    ):
        fit(cr.nn.Linear(4, 1), (X, np.arange(40) % 3))
    same(model.state_dict(), before)


def test_targets_that_do_not_fit_the_outputs():
    with refuses(
        ShapeError,
        "mse compares arrays of one shape, got prediction (10, 2) and target (10, 3).\n"
        "  axis    1: 2 predicted, 3 given\n"
        "  try     an output layer of 3 units, one for each column of the target",
    ):
        fit(data=(X, X[:, :3]))
    with refuses(
        ShapeError,
        "mse compares arrays of one shape, got prediction (10, 2) and target (10,).\n"
        "  try     cross_entropy, if these are class labels; or a target of shape (10, 2), one value for each of the "
        "2 outputs",
    ):
        fit(data=(X, X[:, 0]))
    with refuses(
        ShapeError,
        "cross_entropy needs at least two classes, got predictions (10, 1).\n"
        "  try     binary_cross_entropy_with_logits, if one output tells two classes apart",
    ):
        fit(cr.nn.Linear(4, 1), loss="cross-entropy")


def test_validation_data_with_other_columns():
    with refuses(
        DataError,
        "The examples of the validation data have another shape than those of the training data.\n"
        "  training (4,)\n"
        "  validation (3,)\n"
        "  try     the same columns, in the same order",
    ):
        fit(validation=(X[:, :3], Y))


def test_prediction_without_a_task():
    with refuses(
        OptionError,
        "What this model predicts is not known: it was not trained by fit.\n"
        '  try     predict(model, x, task="classification") or task="regression"',
    ):
        cr.predict(mlp(), X)


# --- NaN -------------------------------------------------------------------------------------------------


class Weights(Callback):
    """Keeps the weights before every step."""

    def on_start(self, run):
        self.at = {run.step: run.model.state_dict()}

    def on_step(self, run):
        self.at[run.step] = run.model.state_dict()


@pytest.mark.parametrize(("bad", "kept"), [(0, 0), (5, 0), (KEPT_EVERY, 0), (KEPT_EVERY + 5, KEPT_EVERY)])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_nan_stops_and_the_last_good_weights_are_kept(bad, kept, batch_norm):
    calls = []

    def breaking(z, y):
        calls.append(0)
        loss = cr.losses.cross_entropy(z, y)
        return loss * float("nan") if len(calls) == bad + 1 else loss

    model, weights = mlp(batch_norm=batch_norm), Weights()
    with refuses(
        NumericalError,
        f"The loss became nan at step {bad} (epoch {bad // 4 + 1}, batch {bad % 4 + 1}).\n"
        f"  kept    the weights of step {kept}, the last ones known to be good\n"
        "  try     a smaller learning rate than 0.001, or clip_norm=1.0",
    ):
        fit(model, (X, Y), breaking, callbacks=[weights], epochs=9)
    found = model.state_dict()
    assert all(np.isfinite(array).all() for array in found.values())
    for name, _ in model.named_parameters():
        np.testing.assert_array_equal(found[name], weights.at[kept][name])


def test_weights_that_grow_out_of_range(tmp_path):
    """Nothing is made up here: the learning rate is too large."""
    path, model = tmp_path / "run.safetensors", cr.nn.Linear(4, 1)
    y = X.sum(axis=1) * 100
    optimizer = cr.optim.SGD(model, lr=1e4)
    with (
        np.errstate(all="ignore"),
        pytest.raises(NumericalError, match=r"^The loss became (inf|nan) at step \d"),
    ):
        fit(model, (X, y), optimizer=optimizer, callbacks=[Checkpoint(path, every_steps=1)], epochs=50)
    assert all(np.isfinite(array).all() for array in model.state_dict().values())
    arrays, _ = files.read_arrays(path)
    assert all(np.isfinite(array).all() for name, array in arrays.items() if name.startswith("model"))


def root(model, y):
    """√|w|, whose slope at 0 is not finite, though its value is."""
    return lambda z, y: cr.losses.cross_entropy(z, y) + cr.sum(cr.sqrt(cr.square(model.fc1.weight * 0.0)))


def test_a_gradient_that_is_nan_is_found_before_the_next_checkpoint(tmp_path):
    path, model = tmp_path / "run.safetensors", mlp()
    before = model.state_dict()
    text = (
        "The weights became NaN or infinite at step {step}; the loss was finite.\n"
        "  kept    the weights of step 0, the last ones known to be good\n"
        "  first   fc1.weight: 12 of 12 entries\n"
        "  try     a smaller learning rate than 0.001, or clip_norm=1.0"
    )
    with np.errstate(all="ignore"), refuses(NumericalError, text.format(step=0)):
        fit(model, (X, Y), root(model, Y), callbacks=[Checkpoint(path, every_steps=1)])
    assert not path.exists()
    same(model.state_dict(), before)
    with np.errstate(all="ignore"), refuses(NumericalError, text.format(step=0)):
        fit(model, (X, Y), root(model, Y), batch_size=40, epochs=1)  # the last update of all
    same(model.state_dict(), before)


def test_a_penalty_that_is_not_finite():
    with refuses(
        NumericalError,
        "The loss became inf at step 0 (epoch 1, batch 1).\n"
        "  kept    the weights of step 0, the last ones known to be good\n"
        "  try     a smaller learning rate than 0.001, or clip_norm=1.0",
    ):
        fit(penalty=lambda model: cr.sum(model.fc1.weight) * 0.0 + float("inf"))


def test_early_stopping_leaves_the_kept_weights_of_a_failed_run():
    calls = []

    def breaking(z, y):
        calls.append(0)
        loss = cr.losses.cross_entropy(z, y)
        return loss * float("nan") if len(calls) > 9 else loss

    model = mlp()
    before = model.state_dict()
    with pytest.raises(NumericalError):
        fit(model, (X, Y), breaking, callbacks=[EarlyStopping("train_loss")])
    same(model.state_dict(), before)


# --- a full disk, and files that cannot be trusted -------------------------------------------------------


def test_a_full_disk_stops_the_run_and_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path, model, weights = tmp_path / "run.safetensors", mlp(), Weights()
    fit(model, callbacks=[Checkpoint(path)], epochs=1)
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    resumed = mlp()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with refuses(
            CheckpointError,
            "run.safetensors could not be written.\n"
            f"  file    {path}\n"
            "  cause   No space left on device\n"
            "  kept    the old file is as it was\n"
            "  try     free some space on this disk, or save to another one",
        ):
            fit(resumed, callbacks=[weights, Checkpoint(path, every_steps=2)], resume=path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["run.safetensors"]
    same(resumed.state_dict(), weights.at[6])  # the model is where the run stopped
    finished = fit(resumed, resume=path)
    assert finished.stopped == "finished"


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "run.safetensors"
    fit(callbacks=[Checkpoint(path)], epochs=1)
    return path


def test_no_checkpoint(tmp_path):
    path = tmp_path / "none.safetensors"
    with refuses(
        CheckpointError,
        "none.safetensors could not be read.\n"
        f"  file    {path}\n  cause   No such file or directory\n  try     check the path",
    ):
        fit(resume=path)


def test_a_truncated_checkpoint(checkpoint):
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[:-100])
    model = mlp()
    before = model.state_dict()
    with refuses(
        CheckpointError,
        "run.safetensors could not be read.\n"
        f"  file    {checkpoint}\n"
        f"  cause   it is {len(whole) - 100} bytes long, but its header announces {len(whole)}\n"
        "  try     take an older checkpoint, or write this one again",
    ):
        fit(model, resume=checkpoint)
    same(model.state_dict(), before)


@pytest.mark.parametrize("place", [-1, -200])
def test_a_checkpoint_with_a_changed_bit(checkpoint, place):
    content = bytearray(checkpoint.read_bytes())
    content[place] ^= 1
    checkpoint.write_bytes(content)
    model = mlp()
    before = model.state_dict()
    with pytest.raises(
        CheckpointError,
        match=rf"^run.safetensors could not be read.\n  file    {re.escape(str(checkpoint))}\n"
        r"  cause   its contents have the checksum [0-9a-f]{8}, but were written with [0-9a-f]{8}\n"
        "  try     take an older checkpoint, or write this one again$",
    ):
        fit(model, resume=checkpoint)
    same(model.state_dict(), before)


@pytest.mark.parametrize("texts", [{}, {"run": "no JSON"}, {"run": "[1]"}, {"run": "{}"}])
def test_a_file_of_something_else(tmp_path, texts):
    path = tmp_path / "weights.safetensors"
    files.write_arrays(path, mlp().state_dict(), texts)
    with refuses(
        CheckpointError,
        "weights.safetensors could not be read.\n"
        f"  file    {path}\n  cause   it is no checkpoint of a training run\n  try     check the path",
    ):
        fit(resume=path)


def test_a_checkpoint_of_a_later_format(tmp_path):
    path = tmp_path / "run.safetensors"
    tree = {"format": 2, "versions": {"chainrule": "9.0"}}
    files.write_arrays(path, {}, {"run": json.dumps(tree)})
    with refuses(
        CheckpointError,
        "run.safetensors could not be read.\n"
        f"  file    {path}\n"
        "  cause   it is a checkpoint of format 2, this version of chainrule reads format 1\n"
        "  try     read it with the version it was written with: chainrule 9.0",
    ):
        fit(resume=path)


def other_data():
    x = X.copy()
    x[3, 3] += 1
    return x, Y


OTHERS = {
    "seed": (lambda: {"seed": 1}, "seed was 0, it is 1 now"),
    "batch size": (lambda: {"batch_size": 5}, "batch size was 10, it is 5 now"),
    "order": (
        lambda: {"data": cr.data.Loader(X, Y, 10, shuffle=False)},
        "data order was shuffled, seed 0, it is as given, seed 0 now",
    ),
    "examples": (
        lambda: {"data": (X[:30], Y[:30])},
        r"data was \(40, 4\) with targets \(40,\), checksum [0-9a-f]{8}, "
        r"it is \(30, 4\) with targets \(30,\), checksum [0-9a-f]{8} now",
    ),
    "one number": (
        lambda: {"data": other_data()},
        r"data was \(40, 4\) with targets \(40,\), checksum [0-9a-f]{8}, "
        r"it is \(40, 4\) with targets \(40,\), checksum [0-9a-f]{8} now",
    ),
    "loss": (lambda: {"loss": "nll"}, "loss was log_loss, it is nll now"),
    "accumulate": (lambda: {"accumulate": 2}, "accumulate was 1, it is 2 now"),
    "clip_norm": (lambda: {"clip_norm": 1.0}, "clip_norm was None, it is 1.0 now"),
    "penalty": (
        lambda: {"penalty": cr.losses.L2(0.01)},
        r"penalty was None, it is L2\(of='weights', lam=0.01\) now",
    ),
    "schedule": (
        lambda: {"schedule": cr.optim.Cosine(0.1, 12)},
        r"learning rate was 0.001, it is by the schedule now",
    ),
    "callbacks": (
        lambda: {"callbacks": [EarlyStopping("train_loss")]},
        "callbacks was none that remember anything, it is EarlyStopping now",
    ),
    "optimiser": (
        lambda: {"optimizer": "rmsprop"},
        r"optimiser was Adam\(betas=\(0.9, 0.999\), .*\), it is RMSprop\(.*\) now",
    ),
    "its settings": (
        lambda: (lambda m: {"model": m, "optimizer": cr.optim.Adam(m, betas=(0.8, 0.999))})(mlp()),
        r"optimiser was Adam\(betas=\(0.9, 0.999\), .*\), it is Adam\(betas=\(0.8, 0.999\), .*\) now",
    ),
    "learning rate": (
        lambda: (lambda m: {"model": m, "optimizer": cr.optim.Adam(m, lr=0.5)})(mlp()),
        "learning rate was 0.001, it is 0.5 now",
    ),
    "width": (
        lambda: {"model": cr.models.MLP(4, 5, 2)},
        r"model was \(fc1\): Linear\(4 → 3\), it is \(fc1\): Linear\(4 → 5\) now",
    ),
    "dropout": (
        lambda: {"model": mlp(dropout=0.1)},
        r"model was \(fc2\): Linear\(3 → 2\), it is \(drop1\): Dropout\(p=0.1\) now",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_checkpoint_of_another_run(name, checkpoint):
    settings, difference = OTHERS[name]
    settings = {"model": mlp()} | settings()
    model = settings.pop("model")
    before = model.state_dict()
    with pytest.raises(
        CheckpointError,
        match=f"^The checkpoint belongs to another run: {difference}.\n"
        f"  file    {re.escape(str(checkpoint))}\n"
        "  try     resume with the settings of the first run, or start a new one$",
    ):
        fit(model, resume=checkpoint, **settings)
    same(model.state_dict(), before)


def test_a_checkpoint_of_a_model_that_looks_the_same(tmp_path):
    """Modules of one's own print no sizes; then the state finds the difference."""

    class Net(cr.nn.Module):
        def __init__(self, width):
            self.weight = cr.nn.Parameter(np.zeros((width, 4), np.float32))

        def forward(self, x):
            return (x @ self.weight.T)[:, :2]

    path = tmp_path / "run.safetensors"
    fit(Net(2), callbacks=[Checkpoint(path)])
    with refuses(
        ShapeError,
        "weight has shape (3, 4) here and (2, 4) in the state.\n"
        f"  file    {path}\n"
        "  try     a model of the sizes that the state was saved from",
    ):
        fit(Net(3), resume=path)


def test_a_callback_that_keeps_what_no_file_holds(tmp_path):
    class Odd(Callback):
        def state_dict(self):
            return {"names": {"a", "b"}}

    with refuses(
        CheckpointError,
        "A checkpoint holds numbers, texts, arrays, lists and dicts, not a set.\n"
        "  cause   the state_dict of a callback or an optimiser",
    ):
        fit(callbacks=[Odd(), Checkpoint(tmp_path / "run.safetensors")])


# --- before the first step ---------------------------------------------------------------------------------


def test_a_frame_as_data():
    pandas = pytest.importorskip("pandas")
    with refuses(
        OptionError,
        "Data is a Dataset, a Loader or a pair (x, y), got DataFrame.\n  try     cr.data.from_frame(frame, target)",
    ):
        fit(data=pandas.DataFrame(X))


@pytest.mark.parametrize(
    ("data", "name"), [((X, np.zeros(40, int)), "0"), ((X, ["yes"] * 40), "yes"), ((X[:1], [True]), "True")]
)
def test_one_class_is_nothing_to_learn(data, name):
    with refuses(
        DataError,
        f"The target has one class ({name!r}): there is nothing to tell apart.\n"
        "  try     check the target column, or the condition that selected the rows",
    ):
        fit(data=data)


def test_one_class_can_be_evaluated():
    assert cr.evaluate(mlp(), (X, np.zeros(40, int))).keys() == {"loss", "accuracy"}


def test_an_optimiser_of_another_model():
    with refuses(
        OptionError,
        "The optimiser holds no parameter of this model: it was made for another one.\n"
        "  try     optimizer=cr.optim.Adam(model, lr=0.01)",
    ):
        fit(optimizer=cr.optim.Adam(mlp(), lr=0.01))
    model = mlp()
    assert len(fit(model, optimizer=cr.optim.Adam(list(model.parameters())[2:]))) == 3  # the others are frozen


@pytest.mark.parametrize(
    ("n", "batch_size", "text"),
    [
        (
            33,
            32,
            "33 examples in batches of 32 end with one.\n  batch_size 32\n"
            "  try     batch_size=33, or cr.data.Loader(x, y, 32, drop_last=True)",
        ),
        (
            40,
            1,
            "40 examples in batches of 1 end with one.\n  batch_size 1\n"
            "  try     batch_size=2, or cr.data.Loader(x, y, 2, drop_last=True)",
        ),
    ],
)
def test_batch_normalisation_of_one_example(n, batch_size, text):
    model = mlp(batch_norm=True)
    before = model.state_dict()
    with refuses(OptionError, f"BatchNorm1d cannot train on a batch of one: {text}"):
        fit(model, (X[:n], Y[:n]), batch_size=batch_size)
    same(model.state_dict(), before)
    fit(model, cr.data.Loader(X[:n], Y[:n], 32, drop_last=True))
    fit(model, (X[:n], Y[:n]), batch_size=n)


def test_columns_that_the_dtype_of_the_model_destroys():
    x = np.column_stack([X.astype(np.float64)[:, :3], 1.7e9 + np.arange(40)])
    text = (
        "Column 3 of x changes by 39 around 1.7e+09, float32 has steps of 128 there.\n"
        "  try     scale it first: cr.data.Standardize().fit(x).transform(x), with x in float64"
    )
    for data in ((x, Y), cr.data.Loader(x, Y, 10)):
        with refuses(DataError, text):
            fit(data=data)
    fit(mlp().astype(np.float64), (x, Y), epochs=1)
    fit(data=(cr.data.Standardize().fit(x).transform(x), Y))


@pytest.mark.parametrize("compile", [True, False])
def test_what_a_loss_refuses_in_predictions_is_refused_by_fit(compile):
    model = cr.nn.Sequential(cr.nn.Linear(4, 3), cr.nn.Softmax())
    with pytest.raises(DataError, match="nll expects log-probabilities"):
        cr.fit(model, cr.data.iris(), cr.losses.nll, epochs=1, progress=False, compile=compile)


class Dealt(cr.data.Loader):
    """Its only batch is what it is told."""

    def __init__(self, batch):
        super().__init__(X, Y, 8)
        self.batch = batch

    def rows(self, epoch, start=0):
        return iter([self.batch])


@pytest.mark.parametrize("compile", [True, False])
@pytest.mark.parametrize(
    ("batch", "text"),
    [
        ([0, len(X), 1], f"A batch of the Loader names row {len(X)}, but there are {len(X)}."),
        ([0, -len(X) - 1], f"A batch of the Loader names row {-len(X) - 1}, but there are {len(X)}."),
        (
            np.arange(len(X)) < 3,
            f"A batch of a Loader is a list of row numbers, got bool of shape ({len(X)},).\n"
            "  try     np.flatnonzero(mask), if it is a mask",
        ),
    ],
)
def test_rows_that_there_are_not(batch, text, compile):
    with refuses(DataError, text):
        cr.fit(cr.models.MLP(X.shape[1], 4, 3), Dealt(batch), progress=False, compile=compile)
