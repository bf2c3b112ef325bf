"""Training: a resumed run is the uninterrupted one, and fit is the loop its docstring shows."""

import io
import signal
import threading
from functools import partial

import numpy as np
import pytest

import chainrule as cr
from chainrule.backends.native.library import loaded
from chainrule.base.keys import Key
from chainrule.core import random_stream
from chainrule.train import Callback, Checkpoint, EarlyStopping
from chainrule.train.evaluate import modes_restored, outputs
from chainrule.train.progress import Progress
from chainrule.train.step import Step

N, BATCH, EPOCHS = 50, 8, 4  # 7 batches an epoch, the last one of 2
REORDERED = 1e-10  # float64 sums of the same terms in another order, over a dozen steps
REORDERED_FLOAT32 = 1e-6  # the same in float32: one loss

rng = np.random.default_rng(0)
X = rng.standard_normal((N, 6)).astype(np.float32)
LABELS = rng.integers(0, 3, N)
VALUES = (X @ rng.standard_normal(6) + 0.1 * rng.standard_normal(N)).astype(np.float32)
VALIDATION = (rng.standard_normal((21, 6)).astype(np.float32), rng.integers(0, 3, 21))


def fit(model, data=(X, LABELS), *args, **settings):
    return cr.fit(model, data, *args, **{"progress": False, "batch_size": BATCH, "epochs": EPOCHS} | settings)


def mlp(seed=0, **settings):
    cr.seed(seed)
    return cr.models.MLP(6, 5, 3, **settings)


def same(first, second):
    assert first.keys() == second.keys()
    for name, array in first.items():
        assert array.dtype == second[name].dtype
        np.testing.assert_array_equal(array, second[name], err_msg=name)


def rows(history):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history]


# --- stopped anywhere and resumed, a run equals the uninterrupted one ------------------------------------


class CrashError(Exception):
    """What ends a run in these tests."""


class CrashAt(Checkpoint):
    """Saves at one step or epoch, and crashes."""

    def __init__(self, path, step=0, epoch=0):
        super().__init__(path)
        self.step, self.epoch = step, epoch

    def on_step(self, run):
        if run.step == self.step:
            run.save(self.path)
            raise CrashError

    def on_epoch(self, run):
        super().on_epoch(run)
        if run.epoch == self.epoch:
            raise CrashError


class CrashUnsaved(Callback):
    """Crashes at a step that no checkpoint has seen."""

    def __init__(self, step):
        self.step = step

    def on_step(self, run):
        if run.step == self.step:
            raise CrashError


class StopAt(Callback):
    """Ends the run at a step, for a reason of its own."""

    def __init__(self, step):
        self.step = step

    def on_step(self, run):
        if run.step == self.step:
            run.stop("enough for today")


def early(patience=1):
    return [EarlyStopping(patience=patience, min_delta=0.02)]


CONFIGURATIONS = {
    "plain": (mlp, partial(cr.optim.SGD, lr=0.1), dict),
    "heavy ball": (mlp, partial(cr.optim.SGD, lr=0.1, momentum=0.9, nesterov=True), dict),
    "adam": (mlp, partial(cr.optim.Adam, lr=0.01), dict),
    "rmsprop": (mlp, partial(cr.optim.RMSprop, lr=0.01), lambda: {"validation": VALIDATION}),
    "dropout": (partial(mlp, dropout=0.4), partial(cr.optim.Adam, lr=0.01), dict),
    "batch norm": (
        partial(mlp, batch_norm=True),
        partial(cr.optim.AdamW, lr=0.01, weight_decay=0.1),
        lambda: {"validation": VALIDATION},
    ),
    "schedule": (
        mlp,
        partial(cr.optim.SGD, lr=0.1, momentum=0.5),
        lambda: {"schedule": cr.optim.LinearWarmup(5, cr.optim.Cosine(0.1, 23))},
    ),
    "accumulate": (partial(mlp, dropout=0.2), partial(cr.optim.Adam, lr=0.01), lambda: {"accumulate": 2}),
    "early stopping": (
        partial(mlp, dropout=0.2, batch_norm=True),
        partial(cr.optim.Adam, lr=0.05),
        lambda: {"validation": VALIDATION, "callbacks": early(), "epochs": 20},
    ),
    "early stopping by epochs": (
        mlp,
        partial(cr.optim.Adam, lr=0.05),
        lambda: {"validation": VALIDATION, "callbacks": early(patience=50)},
    ),
    "penalty and clipping": (
        mlp,
        partial(cr.optim.Adagrad, lr=0.05),
        lambda: {"penalty": cr.losses.HalfL2(0.1), "clip_norm": 0.5},
    ),
}
WAYS = {
    "the first step": lambda path: [CrashAt(path, step=1)],
    "a step in the middle": lambda path: [CrashAt(path, step=5)],
    "the last step of an epoch of 4 updates": lambda path: [CrashAt(path, step=4)],
    "the last step of an epoch of 7 updates": lambda path: [CrashAt(path, step=7)],
    "right after an epoch": lambda path: [CrashAt(path, epoch=1)],
    "steps after the last checkpoint": lambda path: [Checkpoint(path, every_steps=3), CrashUnsaved(8)],
    "stopped in the middle": lambda path: [StopAt(6), Checkpoint(path)],
    "stopped at the last step of an epoch": lambda path: [StopAt(7), Checkpoint(path, every_epochs=None)],
}


def trained(configuration, seed=0, callbacks=(), **more):
    build, optimise, settings = CONFIGURATIONS[configuration]
    model = build(seed)
    optimizer = optimise(model)
    settings = settings()
    settings["callbacks"] = [*settings.get("callbacks", []), *callbacks]
    history = fit(model, optimizer=optimizer, **settings | more)
    return model, optimizer, history


@pytest.fixture(scope="module")
def whole():
    """Every configuration's uninterrupted run."""
    return {name: trained(name) for name in CONFIGURATIONS}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_a_resumed_run_is_the_uninterrupted_one(configuration, way, whole, tmp_path):
    path = tmp_path / "run.safetensors"
    try:
        _, _, history = trained(configuration, callbacks=WAYS[way](path))
        assert history.stopped == "enough for today"
    except CrashError:
        pass
    model, optimizer, history = trained(configuration, seed=99, callbacks=[Checkpoint(path)], resume=path)
    expected_model, expected_optimizer, expected_history = whole[configuration]
    same(model.state_dict(), expected_model.state_dict())
    same(optimizer.state_dict()["arrays"], expected_optimizer.state_dict()["arrays"])
    assert optimizer.state_dict()["numbers"] == expected_optimizer.state_dict()["numbers"]
    assert rows(history) == rows(expected_history)
    assert history.stopped == expected_history.stopped


def test_early_stopping_stops_early_in_these_tests(whole):
    _, _, history = whole["early stopping"]
    assert history.stopped == "early stopping"
    assert 2 <= len(history) < 20


@pytest.mark.parametrize("configuration", ["early stopping", "early stopping by epochs", "dropout"])
def test_resuming_a_run_that_is_over_changes_nothing(configuration, whole, tmp_path):
    path = tmp_path / "run.safetensors"
    trained(configuration, callbacks=[Checkpoint(path)])
    model, _, history = trained(configuration, seed=99, callbacks=[Checkpoint(path)], resume=path)
    expected_model, _, expected_history = whole[configuration]
    same(model.state_dict(), expected_model.state_dict())
    assert rows(history) == rows(expected_history)
    assert history.stopped == expected_history.stopped


def test_resuming_with_more_epochs_goes_on(whole, tmp_path):
    path = tmp_path / "run.safetensors"
    trained("dropout", callbacks=[Checkpoint(path)], epochs=1)
    model, _, history = trained("dropout", seed=99, resume=path)
    same(model.state_dict(), whole["dropout"][0].state_dict())
    assert rows(history) == rows(whole["dropout"][2])


def test_resuming_twice_and_with_the_progress_line(whole, tmp_path, capsys):
    path = tmp_path / "run.safetensors"
    trained("accumulate", callbacks=[StopAt(3), Checkpoint(path)], progress=True)
    trained("accumulate", seed=98, callbacks=[StopAt(9), Checkpoint(path)], resume=path)
    model, _, _ = trained("accumulate", seed=99, resume=path, progress=True)
    same(model.state_dict(), whole["accumulate"][0].state_dict())
    assert capsys.readouterr().out == ""


class Interrupted(cr.optim.Adam):
    """An optimiser with two Ctrl-C after its arrays have changed and before the step is counted."""

    at = 0

    def step(self):
        super().step()
        if self.steps == self.at:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)


def test_a_second_ctrl_c_leaves_the_last_checkpoint(tmp_path):
    """It may fall into the middle of an update, where nothing can be saved."""
    path = tmp_path / "run.safetensors"
    models = [mlp(), mlp(99), mlp()]
    optimizers = [Interrupted(model, lr=0.01) for model in models]
    optimizers[0].at = 5
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            fit(models[0], optimizer=optimizers[0], callbacks=[Checkpoint(path, every_steps=3)])
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    resumed = fit(models[1], optimizer=optimizers[1], resume=path)
    assert rows(resumed) == rows(fit(models[2], optimizer=optimizers[2]))
    same(models[1].state_dict(), models[2].state_dict())


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.default_int_handler])
def test_fit_in_another_thread_or_without_ctrl_c(handler):
    before = signal.signal(signal.SIGINT, handler)
    try:
        alone, beside = mlp(), mlp()
        fit(alone)
        thread = threading.Thread(target=fit, args=(beside,))
        thread.start()
        thread.join()
        same(alone.state_dict(), beside.state_dict())
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


# --- fit is the loop of its docstring --------------------------------------------------------------------


def alike(first, second, compiled):
    """The same numbers; of a plan and of define-by-run to rounding, for a plan joins operations."""
    if not compiled:
        same(first, second)
    for name, array in first.items():
        np.testing.assert_allclose(array, second[name], rtol=2e-4, atol=2e-5, err_msg=name)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("make", [partial(cr.optim.SGD, lr=0.1), partial(cr.optim.Adam, lr=0.01)])
def test_fit_is_the_hand_written_loop(dropout, make, compiled):
    fitted = mlp(dropout=dropout)
    fit(fitted, optimizer=make(fitted), seed=3, compile=compiled)
    model = mlp(dropout=dropout)
    optimizer = make(model)
    loader = cr.data.Loader(X, LABELS, BATCH, seed=3)
    n = 0
    for epoch in range(EPOCHS):
        for x, y in loader.epoch(epoch):
            with random_stream(Key(3) / "step" / n):
                optimizer.zero_grad()
                cr.losses.cross_entropy(model(x), y).backward()
                optimizer.step()
            n += 1
    alike(fitted.state_dict(), model.state_dict(), compiled)


def test_accumulating_is_the_hand_written_loop():
    """Every batch has draws of its own, also those of one update."""
    fitted, model = mlp(dropout=0.4), mlp(dropout=0.4)
    fit(fitted, (X[:48], LABELS[:48]), accumulate=2, epochs=1, compile=False)
    optimizer = cr.optim.Adam(model)
    for n, (x, y) in enumerate(cr.data.Loader(X[:48], LABELS[:48], BATCH).epoch(0)):
        with random_stream(Key(0) / "step" / n):
            (cr.losses.cross_entropy(model(x), y) / 2).backward()
        if n % 2:
            optimizer.step()
            optimizer.zero_grad()
    same(fitted.state_dict(), model.state_dict())


def test_equal_seeds_give_equal_runs_and_others_do_not():
    runs = []
    for seed in (0, 0, 1):
        model = mlp(dropout=0.3)
        runs.append((rows(fit(model, seed=seed)), model.state_dict()))
    same(runs[0][1], runs[1][1])
    assert runs[0][0] == runs[1][0] != runs[2][0]
    numpy_seed = mlp(dropout=0.3)
    fit(numpy_seed, seed=np.int64(0))
    same(numpy_seed.state_dict(), runs[0][1])


def test_the_whole_batch_is_gradient_descent():
    x, y = X.astype(np.float64), VALUES.astype(np.float64)
    model = cr.nn.Linear(6, 1).astype(np.float64)
    w, b = model.weight.data.ravel().copy(), model.bias.data.copy()
    fit(model, cr.data.Loader(x, y, N), optimizer=cr.optim.SGD(model, lr=0.05), epochs=12)
    for _ in range(12):
        error = x @ w + b - y
        w, b = w - 0.05 * 2 / N * x.T @ error, b - 0.05 * 2 / N * error.sum()
    np.testing.assert_allclose(model.weight.data.ravel(), w, rtol=REORDERED)
    np.testing.assert_allclose(model.bias.data, b, rtol=REORDERED)


@pytest.mark.parametrize("k", [2, 3, 7])
def test_accumulated_batches_are_one_large_batch(k):
    """Also where the last batch of the epoch is smaller, and with a penalty."""
    penalty, loader = cr.losses.HalfL2(0.1), partial(cr.data.Loader, X.astype(np.float64), LABELS)
    models = [mlp().astype(np.float64) for _ in range(2)]
    first, second = (cr.optim.SGD(model, lr=0.2, momentum=0.9) for model in models)
    histories = [
        fit(models[0], loader(BATCH), optimizer=first, accumulate=k, penalty=penalty),
        fit(models[1], loader(BATCH * k), optimizer=second, penalty=penalty),
    ]
    assert histories[0]["step"] == histories[1]["step"]
    np.testing.assert_allclose(histories[0]["train_loss"], histories[1]["train_loss"], rtol=REORDERED)
    for name, array in models[0].state_dict().items():
        np.testing.assert_allclose(array, models[1].state_dict()[name], rtol=REORDERED, err_msg=name)


def test_a_float64_model_trains_in_float64():
    seen = set()

    def watched(z, y):
        loss = cr.losses.cross_entropy(z, y)
        seen.update([z.dtype, loss.dtype])
        return loss

    model = mlp(batch_norm=True, dropout=0.2).astype(np.float64)
    optimizer = cr.optim.Adam(model)
    fit(model, (X, LABELS), watched, optimizer, validation=VALIDATION, penalty=cr.losses.L1(0.01))
    assert seen == {np.dtype(np.float64)}
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float64)}
    assert {a.dtype.kind for a in optimizer.state_dict()["arrays"].values()} == {"f", "i"}
    assert np.float32 not in {a.dtype for a in optimizer.state_dict()["arrays"].values()}


# --- what stands around the loop does not change it ------------------------------------------------------


def test_validation_does_not_change_training():
    with_it, without = (mlp(dropout=0.3, batch_norm=True) for _ in range(2))
    fit(with_it, validation=VALIDATION)
    fit(without)
    same(with_it.state_dict(), without.state_dict())


def test_modes_are_put_back():
    model = mlp(dropout=0.3, batch_norm=True)
    model.norm1.eval()  # a frozen part stays frozen
    before = [m.training for m in model.modules()]
    running = model.norm1.running_mean.data.copy()
    fit(model, validation=VALIDATION)
    cr.evaluate(model, VALIDATION)
    cr.predict(model, X)
    assert [m.training for m in model.modules()] == before
    np.testing.assert_array_equal(model.norm1.running_mean.data, running)


def test_a_model_in_evaluation_mode_is_trained_in_training_mode():
    model, reference = mlp(dropout=0.3), mlp(dropout=0.3)
    fit(model.eval())
    fit(reference)
    same(model.state_dict(), reference.state_dict())
    assert not any(m.training for m in model.modules())


def test_modes_are_put_back_after_an_error():
    model = mlp(dropout=0.3).eval()
    with pytest.raises(CrashError):
        fit(model, callbacks=[CrashUnsaved(2)])
    assert not any(m.training for m in model.modules())
    with pytest.raises(CrashError), modes_restored(model):
        model.train()
        raise CrashError
    assert not any(m.training for m in model.modules())


def test_a_loader_is_used_as_it_is():
    model, reference = mlp(), mlp()
    fit(model, cr.data.Loader(X, LABELS, 10, seed=5, drop_last=True), batch_size=999)
    fit(reference, batch_size=10, seed=5)
    same(model.state_dict(), reference.state_dict())


# --- evaluation and prediction ---------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 8, 17, 50, 1000])
def test_evaluation_is_the_mean_over_examples_whatever_the_batches(batch_size):
    model = mlp(dropout=0.4, batch_norm=True)
    fit(model)
    figures = cr.evaluate(model, (X, LABELS), batch_size=batch_size)
    z = model.eval()(X).numpy()
    losses = cr.losses.cross_entropy(z, LABELS, reduction="none")
    assert figures["loss"] == pytest.approx(losses.astype(np.float64).mean(), rel=REORDERED_FLOAT32)
    assert figures["accuracy"] == np.mean(z.argmax(axis=1) == LABELS)


def test_history_is_the_mean_over_the_examples_of_the_epoch():
    model = mlp()
    still = fit(model, optimizer=cr.optim.SGD(model, lr=1e-30), epochs=1)  # too small to change a float32
    figures = cr.evaluate(model, (X, LABELS))
    assert still["train_loss"][0] == pytest.approx(figures["loss"], rel=REORDERED_FLOAT32)
    assert still["train_accuracy"][0] == figures["accuracy"]


def test_one_logit_is_two_classes():
    labels = (VALUES > 0).astype(int)
    cr.seed(0)
    model = cr.models.MLP(6, 5, 1)
    history = fit(model, (X, labels), epochs=40, optimizer=cr.optim.Adam(model, lr=0.02), validation=(X, labels))
    assert history.columns[3:5] == ["train_loss", "train_accuracy"]
    assert history["validation_accuracy"][-1] > 0.95
    p = cr.predict_proba(model, X)
    assert p.shape == (N, 2)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=REORDERED_FLOAT32)
    np.testing.assert_array_equal(cr.predict(model, X), p.argmax(axis=1))
    by_name = cr.evaluate(model, (X, labels), "bce")
    assert by_name == cr.evaluate(model, (X, labels))
    assert by_name["accuracy"] == np.mean(cr.predict(model, X) == labels)


def test_several_logits():
    model = mlp()
    fit(model)
    p = cr.predict_proba(model, X)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=REORDERED_FLOAT32)
    np.testing.assert_array_equal(p.argmax(axis=1), cr.predict(model, X))
    assert cr.predict(model, X[:0]).shape == (0,)


@pytest.mark.parametrize("loss", [None, "mse", "mae", "huber", partial(cr.losses.huber, delta=0.5)])
@pytest.mark.parametrize("column", [False, True])
def test_regression_with_one_output(loss, column):
    """Targets (n,) and (n, 1) are the same targets."""
    y = VALUES[:, None] if column else VALUES
    models = [cr.nn.Linear(6, 1) for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    history = fit(models[0], (X, y), loss, cr.optim.Adam(models[0], lr=0.1), epochs=30, validation=(X, y))
    fit(models[1], (X, VALUES[:, None]), loss, cr.optim.Adam(models[1], lr=0.1), epochs=30)
    same(models[0].state_dict(), models[1].state_dict())
    assert history["validation_r2"][-1] > 0.95
    assert cr.predict(models[0], X).shape == (N,)


def test_regression_with_several_outputs():
    y = np.stack([VALUES, -VALUES], axis=1)
    model = cr.nn.Linear(6, 2)
    fit(model, (X, y), optimizer=cr.optim.Adam(model, lr=0.1), epochs=30)
    assert cr.predict(model, X).shape == (N, 2)
    assert set(cr.evaluate(model, (X, y))) == {"loss", "r2", "mae"}


def test_a_loss_from_elsewhere_gets_targets_as_they_are():
    shapes = set()

    def likelihood(z, y):  # a mean and a logarithm of the variance for each target
        shapes.add((z.shape, y.shape))
        mean, log_variance = z[:, 0], z[:, 1]
        return cr.mean(cr.square(mean - y) * cr.exp(-log_variance) + log_variance)

    model = cr.nn.Linear(6, 2)
    history = fit(model, (X, VALUES), likelihood, validation=(X, VALUES), batch_size=25)
    assert shapes == {((25, 2), (25,)), ((50, 2), (50,))}
    assert history.columns[3:5] == ["train_loss", "validation_loss"]


def test_one_hot_targets_are_classes():
    model, reference = mlp(), mlp()
    one_hot = np.eye(3, dtype=np.float32)[LABELS]
    history = fit(model, (X, one_hot), "cross-entropy")
    labels = fit(reference)
    assert history["train_accuracy"] == labels["train_accuracy"]
    np.testing.assert_array_equal(cr.predict(model, X), cr.predict(reference, X))
    figures = cr.evaluate(model, (X, one_hot), "cross-entropy")
    assert figures["accuracy"] == cr.evaluate(reference, (X, LABELS))["accuracy"]


def test_outputs_take_lists_and_tensors():
    model = mlp()
    expected = outputs(model, X)
    np.testing.assert_array_equal(outputs(model, X.tolist()), expected)
    np.testing.assert_array_equal(outputs(model, cr.tensor(X)), expected)


@pytest.mark.parametrize("call", [1, 6, 7, 11])
def test_ctrl_c_within_a_step_finishes_it(call, tmp_path):
    """In the forward pass of some batch, also the last of an epoch."""
    path, calls = tmp_path / "run.safetensors", []

    def interrupting(z, y):
        calls.append(0)
        if len(calls) == call:
            signal.raise_signal(signal.SIGINT)
        return cr.losses.cross_entropy(z, y)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        history = fit(mlp(), (X, LABELS), interrupting, callbacks=[Checkpoint(path)])
    finally:
        signal.signal(signal.SIGINT, before)
    assert (history.stopped, len(history)) == ("interrupted", call // 7)
    resumed, uninterrupted = mlp(99), mlp()
    fit(resumed, (X, LABELS), interrupting, resume=path)
    fit(uninterrupted, (X, LABELS), interrupting)
    same(resumed.state_dict(), uninterrupted.state_dict())


# --- the loss says what targets are ------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "sse", "half-squared", cr.losses.mse])
@pytest.mark.parametrize("y", [np.arange(N), np.arange(N) % 2, LABELS])
def test_whole_numbers_are_values_to_a_loss_of_values(loss, y):
    model = cr.models.MLP(6, 4, 1)
    history = fit(model, (X, y), loss, epochs=1, validation=(X, y))
    assert [c for c in history.columns if c.startswith(("train", "validation"))] == [
        "train_loss",
        "validation_loss",
        "validation_r2",
        "validation_mae",
    ]
    assert cr.predict(model, X).dtype.kind == "f"


@pytest.mark.parametrize("loss", ["hinge", "perceptron"])
def test_two_classes_are_signs_to_a_loss_of_signs(loss):
    """−1 and +1 as integers, floats or a column; 0 and 1; names: all train the same."""
    labels = (VALUES > 0).astype(int)
    signs = 2 * labels - 1
    states = []
    kinds = [signs, signs.astype(np.float32), signs[:, None], labels, labels > 0, np.array(["no", "yes"])[labels]]
    for y in kinds:
        cr.seed(0)
        model = cr.models.MLP(6, 5, 1)
        history = fit(model, (X, y), loss, cr.optim.Adam(model, lr=0.02), epochs=40, validation=(X, y))
        states.append(model.state_dict())
        assert history["validation_accuracy"][-1] == np.mean(cr.predict(model, X) == labels) > 0.8
        assert cr.evaluate(model, (X, y), loss)["accuracy"] == history["validation_accuracy"][-1]
    for state in states[1:]:
        same(state, states[0])


def test_several_binary_outputs():
    y = np.stack([VALUES > 0, VALUES < 1], axis=1).astype(int)
    assert fit(cr.nn.Linear(6, 2), (X, y), "bce", epochs=1).columns[3] == "train_loss"


def test_r2_of_targets_that_do_not_vary_is_nan():
    model = cr.nn.Linear(6, 1)
    for part in ((X[:1], VALUES[:1]), (X, np.ones(N))):
        assert np.isnan(cr.evaluate(model, part)["r2"])
        assert np.isnan(fit(model, (X, VALUES), epochs=1, validation=part)["validation_r2"]).all()


def test_float64_data_trains_a_float32_model_as_its_float32_does():
    wide = (X.astype(np.float64), VALUES.astype(np.float64))
    models = [cr.nn.Linear(6, 1) for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    fit(models[0], wide, validation=wide)
    fit(models[1], tuple(a.astype(np.float32) for a in wide))
    same(models[0].state_dict(), models[1].state_dict())


def test_a_loader_and_a_split_of_what_there_is():
    data = cr.data.from_arrays(X, LABELS)
    apart, whole = cr.data.Loader(X, LABELS, 10), cr.data.Loader(data, batch_size=10)
    for (x, y), (a, b) in zip(apart, whole, strict=True):
        np.testing.assert_array_equal(x, a)
        np.testing.assert_array_equal(y, b)
    for mine, theirs in zip(cr.data.split((X, LABELS)), cr.data.split(data), strict=True):
        np.testing.assert_array_equal(mine.x, theirs.x)


@pytest.mark.parametrize("rows", [640, 650])
def test_large_batches_move_in_by_themselves_and_are_the_right_ones(rows, monkeypatch):
    """Batches that are gathered while the step before computes; equal bit for bit to those taken one by one."""
    draw = np.random.default_rng(0)
    x, y = draw.standard_normal((rows, 300)).astype(np.float32), draw.integers(0, 4, rows)

    def weights():
        cr.seed(3)
        model = cr.models.MLP(300, 20, 4)
        cr.fit(model, (x, y), optimizer=cr.optim.Adam(model), epochs=3, batch_size=64, progress=False, compile=True)
        return [p.numpy().copy() for p in model.parameters()]

    monkeypatch.setattr("chainrule.train.batches.threads", lambda: 2)
    moved = weights()
    monkeypatch.setattr("chainrule.train.batches.WORTH", 1 << 40)
    for got, wanted in zip(moved, weights(), strict=True):
        np.testing.assert_array_equal(got, wanted)


# --- several steps by one call --------------------------------------------------------------------------------


class SeesEachStep(Callback):
    """So that no steps are made at once."""

    def on_step(self, run):
        pass


def groups(monkeypatch):
    """How many batches each call of a step was given, as a list that is filled."""
    found, original = [], Step.__call__

    def call(self, batches, following=None):
        found.append(len(batches))
        return original(self, batches, following)

    monkeypatch.setattr(Step, "__call__", call)
    return found


KINDS = {
    "classes": (mlp, LABELS, {}),
    "values": (partial(cr.models.MLP, 6, 5, 1), VALUES, {}),
    "a column": (partial(cr.models.MLP, 6, 5, 1), VALUES[:, None], {}),
    "penalty": (mlp, LABELS, {"penalty": cr.losses.HalfL2(0.1)}),
    "momentum": (mlp, LABELS, {"optimizer": partial(cr.optim.SGD, lr=0.1, momentum=0.9)}),
    "two groups": (mlp, LABELS, {"optimizer": lambda m: cr.optim.AdamW(parameter_groups(m), lr=0.01)}),
    "one batch": (mlp, LABELS, {"batch_size": N}),
    "in order": (mlp, LABELS, {"data": lambda y: cr.data.Loader(X, y, 4, shuffle=False)}),
}


def parameter_groups(model):
    named = list(model.parameters())
    return [{"params": named[::2]}, {"params": named[1::2], "lr": 0.1}]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("large", [False, True])
def test_steps_made_at_once_are_those_made_one_by_one(kind, large, monkeypatch):
    """Weights, optimiser, history and loss, bit for bit; also where the rows of a batch are copied ahead."""
    make, y, settings = KINDS[kind]
    monkeypatch.setattr("chainrule.train.batches.WORTH", 1 if large else 1 << 40)
    monkeypatch.setattr("chainrule.train.batches.threads", lambda: 2)
    runs, found = [], groups(monkeypatch)
    for callbacks in ([], [SeesEachStep()]):
        cr.seed(1)
        model = make()
        given = {name: value(model) if name == "optimizer" else value for name, value in settings.items()}
        data = given.pop("data", lambda y: (X, y))(y)
        given = {"optimizer": None, "batch_size": 4} | given
        given["optimizer"] = given["optimizer"] or cr.optim.Adam(model, lr=0.02)
        before = len(found)
        history = fit(model, data, epochs=40, callbacks=callbacks, **given)
        runs.append((model, given["optimizer"], rows(history)))
        several = max(found[before:]) > 1
        assert several == (loaded() is not None and not callbacks and kind != "one batch")
        assert sum(found[before:]) == 40 * (1 if kind == "one batch" else 13)
    (a, one, first), (b, two, second) = runs
    assert first == second
    assert one.steps == two.steps
    same(a.state_dict(), b.state_dict())
    same(one.state_dict()["arrays"], two.state_dict()["arrays"])


def test_no_steps_are_made_at_once_where_each_is_looked_at(monkeypatch, tmp_path):
    class Silent(Callback):
        def on_epoch(self, run):
            pass

    class Own(Checkpoint):
        def on_step(self, run):
            super().on_step(run)

    path, found = tmp_path / "run.safetensors", groups(monkeypatch)
    seen = [[Checkpoint(path, every_steps=5)], [Own(path)], [SeesEachStep()]]
    for settings in [*({"callbacks": c} for c in seen), {"schedule": lambda step: 0.1}, {"accumulate": 2}]:
        fit(mlp(), epochs=20, **settings)
        assert set(found) == {1}
    fit(mlp(), epochs=20, callbacks=[Silent(), Checkpoint(path), Progress(stream=io.StringIO())])
    assert (max(found) > 1) == (loaded() is not None)


class Dealt(cr.data.Loader):
    """Batches of its own making."""

    def __init__(self, dealt, x=X, y=LABELS):
        super().__init__(x, y, 4)
        self.dealt = dealt

    def __len__(self):
        return 12

    def rows(self, epoch, start=0):
        draw = np.random.default_rng(epoch)
        whole = draw.permutation(N)[:48].reshape(12, 4)
        return (self.dealt(rows) for rows in whole[start:])


BUFFER = np.zeros(4, np.int32)


def written_over(rows):
    BUFFER[:] = rows
    return BUFFER


@pytest.mark.parametrize("dealt", [list, tuple, written_over, lambda rows: rows - N])
def test_a_loader_may_deal_batches_of_its_own(dealt, monkeypatch):
    """As lists, in one array that is written over, by numbers from the end: the same rows, the same training."""
    states, found = [], groups(monkeypatch)
    for loader, settings in [(Dealt(np.array), {}), (Dealt(dealt), {}), (Dealt(dealt), {"compile": False})]:
        model = mlp()
        fit(model, loader, optimizer=cr.optim.SGD(model, lr=0.1), epochs=30, **settings)
        states.append(model.state_dict())
    same(states[0], states[1])
    for name, array in states[2].items():
        np.testing.assert_allclose(array, states[0][name], atol=1e-4)
    assert set(found) == {1}  # what it deals may depend on the training


class Replaces(Callback):
    """Other data after some epochs."""

    def __init__(self, change):
        self.change = change

    def on_epoch(self, run):
        if run.epoch % 10 == 0:
            run.loader.x = self.change(run.loader.x)


@pytest.mark.parametrize("change", [lambda x: x[:, ::-1], lambda x: x.astype(np.float64), np.copy, lambda x: x[::-1]])
def test_data_may_be_replaced_between_epochs(change, monkeypatch):
    states, found = [], groups(monkeypatch)
    for callbacks in ([], [SeesEachStep()]):
        model, before = mlp(), len(found)
        loader = cr.data.Loader(X, LABELS, 4)
        history = fit(model, loader, epochs=35, callbacks=[Replaces(change), *callbacks])
        states.append((model.state_dict(), rows(history)))
        assert sum(found[before:]) == 35 * 13
    same(states[0][0], states[1][0])
    assert states[0][1] == states[1][1]


SCALE = 1.0


class Scaled(cr.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = cr.nn.Linear(6, 1)

    def forward(self, x):
        return self.linear(x) * SCALE


class Pull:
    """A penalty with a number that may change."""

    def __init__(self):
        self.strength = 0.0

    def __call__(self, model):
        return self.strength * cr.sum(cr.square(model.linear.weight))


@pytest.mark.parametrize("kind", ["a function's", "an object's", "a model's"])
def test_numbers_from_outside_may_change_between_epochs(kind, monkeypatch):
    pull, states = Pull(), []
    strength = 0.0

    class Change(Callback):
        def on_epoch(self, run):
            nonlocal strength
            strength = pull.strength = 0.1 * run.epoch
            monkeypatch.setitem(globals(), "SCALE", 1.0 + 0.1 * run.epoch)

    penalty = (lambda m: strength * cr.sum(cr.square(m.linear.weight))) if kind == "a function's" else pull
    for compiled in (True, False):
        cr.seed(2)
        strength = pull.strength = 0.0
        monkeypatch.setitem(globals(), "SCALE", 1.0)
        model = Scaled()
        given = {"penalty": None if kind == "a model's" else penalty, "callbacks": [Change()], "compile": compiled}
        fit(model, (X, VALUES), optimizer=cr.optim.SGD(model, lr=0.01), **given)
        states.append(model.state_dict())
    for name, array in states[1].items():
        np.testing.assert_allclose(array, states[0][name], rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(loaded() is None, reason="no compiled kernels, which make steps at once")
def test_a_loss_that_is_not_finite_ends_the_steps_made_at_once(monkeypatch):
    """At the step that gave it, with the weights from before."""
    x = X.copy()
    x[33] = 1e30  # squared, infinite
    batches = [x[i : i + 2] for i in range(0, N, 2)]
    found, messages = groups(monkeypatch), []
    for callbacks in ([], [SeesEachStep()]):
        model = cr.nn.Linear(6, 1)
        model.load_state_dict({"weight": np.full((1, 6), 0.1, np.float32), "bias": np.zeros(1, np.float32)})
        quiet = cr.data.Loader(np.concatenate(batches[:16] * 3), np.tile(VALUES[:32], 3), 2, shuffle=False)
        optimizer = cr.optim.SGD(model, lr=1e-3)
        fit(model, quiet, optimizer=optimizer, epochs=3)  # until several steps are made at once
        with pytest.raises(cr.NumericalError) as error:
            fit(model, cr.data.Loader(x, VALUES, 2, shuffle=False), optimizer=optimizer, callbacks=callbacks)
        messages.append((str(error.value), *map(bytes, model.state_dict().values())))
        if not callbacks:
            assert max(found) > 1
    assert messages[0] == messages[1]
    assert "at step 16 (epoch 1, batch 17)" in messages[0][0]


def test_ctrl_c_ends_steps_made_at_once_between_two_steps(tmp_path):
    """Whenever it comes, the checkpoint is of a moment from which the rest is the rest of the whole run."""
    path = tmp_path / "run.safetensors"
    settings = {"epochs": 400, "batch_size": 4}
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        timer = threading.Timer(0.15, lambda: signal.raise_signal(signal.SIGINT))
        timer.start()
        history = fit(mlp(), callbacks=[Checkpoint(path)], **settings)
        timer.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert history.stopped == "interrupted"
    assert 0 < len(history) < 400
    resumed, whole = mlp(99), mlp()
    fit(resumed, resume=path, **settings)
    fit(whole, **settings)
    same(resumed.state_dict(), whole.state_dict())
