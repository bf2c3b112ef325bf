"""Trainings under cr.diagnosing(): the same to the last bit, and nothing is left behind."""

import contextlib
import inspect
import threading

import numpy as np
import pytest

import chainrule as cr
from chainrule.glass.verdicts.compiled import Watch
from chainrule.glass.verdicts.diagnosing import replacements
from chainrule.glass.verdicts.losses_noted import noted
from chainrule.losses import LOSSES, cross_entropy
from chainrule.optim import OPTIMIZERS
from chainrule.plan import Plan

DATA = cr.data.iris()


@pytest.fixture(autouse=True)
def unjudged(monkeypatch):
    """Rules have laws of their own, and take seconds."""
    monkeypatch.setattr("chainrule.glass.verdicts.report.judge", lambda evidence: ())


def network():
    cr.seed(3)
    return cr.nn.Sequential(
        fc1=cr.nn.Linear(4, 16), norm=cr.nn.BatchNorm1d(16), act=cr.nn.ReLU(), drop=cr.nn.Dropout(0.3),
        fc2=cr.nn.Linear(16, 3),
    )  # fmt: skip


def by_fit(model, **settings):
    history = cr.fit(model, DATA, epochs=4, batch_size=25, validation=DATA, progress=False, **settings)
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history]


def by_hand(model, optimizer="adam"):
    optimizer, seen = OPTIMIZERS[optimizer](model, lr=0.01), []
    loader = cr.data.Loader(DATA.x[:120], DATA.y[:120], 20)
    for epoch in range(4):
        for x, y in loader.epoch(epoch):
            optimizer.zero_grad()
            loss = cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            seen.append(float(loss))
        model.eval()
        with cr.no_grad():
            seen.append(float(cross_entropy(model(DATA.x[120:]), DATA.y[120:])))
        model.train()
    return seen


def compiled(model):
    optimizer = cr.optim.Adam(model, lr=0.01)

    @cr.compile
    def step(x, y):
        optimizer.zero_grad()
        loss = cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    loader = cr.data.Loader(DATA, batch_size=25)
    return [float(step(x, y)) for epoch in range(4) for x, y in loader.epoch(epoch)]


def without_an_optimiser(model):
    seen = []
    for x, y in cr.data.Loader(DATA, batch_size=25).epoch(0):
        model.zero_grad()
        loss = cross_entropy(model(x), y)
        loss.backward()
        for p in model.parameters():
            p.assign(p.numpy() - 0.1 * p.grad.numpy())
        seen.append(loss.item())
    return seen


def accumulated(model):
    optimizer, seen = cr.optim.SGD(model, lr=0.1, momentum=0.9), []
    for i, (x, y) in enumerate(cr.data.Loader(DATA, batch_size=25).epoch(0)):
        loss = cross_entropy(model(x), y) / 2
        loss.backward()
        seen.append(float(loss))
        if i % 2:
            optimizer.step()
            optimizer.zero_grad()
    return seen


TRAININGS = {
    "fit": by_fit,
    "fit without a plan": lambda model: by_fit(model, compile=False),
    "fit, accumulated and clipped": lambda model: by_fit(model, accumulate=2, clip_norm=0.5),
    "by hand": by_hand,
    "compiled": compiled,
    "without an optimiser": without_an_optimiser,
    "accumulated": accumulated,
}


def trained(training, watching):
    model = network()
    with cr.diagnosing() if watching else contextlib.nullcontext() as report:
        told = training(model)
    arrays = model.state_dict() | {"draw": cr.rand(3).numpy()}
    grads = {name: None if p.grad is None else np.array(p.grad.numpy()) for name, p in model.named_parameters()}
    return told, arrays, grads, report


@pytest.mark.parametrize("name", TRAININGS)
def test_watched_is_unwatched(name):
    told, arrays, grads, _ = trained(TRAININGS[name], watching=False)
    told_watched, arrays_watched, grads_watched, report = trained(TRAININGS[name], watching=True)
    assert told == told_watched
    for before, after in ((arrays, arrays_watched), (grads, grads_watched)):
        assert before.keys() == after.keys()
        assert all(np.array_equal(before[name], after[name]) for name in before)
    assert len(report.evidence) == 1


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_optimiser_is_watched(name):
    bare = network()
    losses = by_hand(bare, name)
    seen = network()
    with cr.diagnosing() as report:
        assert by_hand(seen, name) == losses
    (evidence,) = report.evidence
    assert len(evidence.losses) == 24
    assert np.isfinite(evidence.ratios).all()
    assert all(np.array_equal(a, seen.state_dict()[key]) for key, a in bare.state_dict().items())


def attributes():
    return {(id(r.owner), r.name): vars(r.owner)[r.name] for r in replacements(Watch())}


@pytest.mark.parametrize("ending", [None, ValueError, cr.NumericalError, KeyboardInterrupt])
def test_nothing_is_left_behind(ending):
    before = attributes()
    with contextlib.suppress(ending or ()), cr.diagnosing():
        assert attributes() != before
        by_hand(network())
        if ending is not None:
            raise ending("ended")
    assert attributes() == before


def test_nothing_is_left_in_a_plan():
    model = network()
    optimizer = cr.optim.VelocityMomentum(model, lr=0.01)  # no kernel of its own: the plan calls the method

    @cr.compile
    def step(x, y):
        optimizer.zero_grad()
        loss = cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    with cr.diagnosing() as report:
        step(DATA.x, DATA.y)
    acts = [line.act for entry in step.entries.values() for line in entry.program.instructions if hasattr(line, "act")]
    assert acts
    assert all(act.__func__ is cr.optim.Optimizer.step for act in acts)
    step(DATA.x, DATA.y)
    assert len(report.evidence[0].losses) == 1


def test_an_error_goes_on_and_stays_in_the_report():
    with pytest.raises(cr.NumericalError), cr.diagnosing() as report:
        raise cr.NumericalError("ended")
    assert str(report.error) == "ended"
    with cr.diagnosing(raising=False) as report:
        raise cr.NumericalError("ended")
    assert str(report.error) == "ended"
    with pytest.raises(ValueError, match="other"), cr.diagnosing(raising=False):
        raise ValueError("other")


def test_other_threads_are_not_watched():
    def work():
        by_hand(network())

    with cr.diagnosing() as report:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert report.evidence == ()


def test_a_plan_stays_a_plan(monkeypatch):
    made, entry = [], Plan.entry

    def counted(plan, *args, **kwargs):
        made.append(entry(plan, *args, **kwargs))
        return made[-1]

    monkeypatch.setattr(Plan, "entry", counted)
    model = cr.models.MLP(4, 16, 3)
    with cr.diagnosing() as report:
        cr.fit(model, DATA, epochs=300, batch_size=25, progress=False)
    assert made
    assert all(made)
    (evidence,) = report.evidence
    assert [probe.step for probe in evidence.probes] == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1799]
    assert len(evidence.losses) == 1800


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_every_loss_is_noted(name):
    loss = LOSSES[name]
    prediction = np.array([[0.2, 0.8], [0.5, 0.5]])
    targets = {"labels": [0, 1], "signs": [[1.0, -1.0], [1.0, 1.0]], "probabilities": [[0.0, 1.0], [1.0, 0.5]]}
    target = targets.get(loss.target, prediction + 1)
    if name in ("nll", "kl"):
        prediction, target = np.log(prediction), [0, 1] if name == "nll" else prediction
    with noted() as calls:
        value = loss(prediction, target, reduction="sum")
    (call,) = calls
    assert call.function is loss
    assert call.prediction is prediction
    assert call.target is target
    assert call.again(prediction, target) == value
    assert call.settings.keys() == inspect.signature(loss).parameters.keys() - {"prediction", "target"}


# What is seen.


def test_what_a_loop_shows():
    *_, report = trained(by_hand, watching=True)
    (e,) = report.evidence
    assert (e.loss_name, e.batch_size, len(e.losses), e.train.shown) == ("cross_entropy", 20, 24, 480)
    assert sorted(map(tuple, e.train.x)) == sorted(set(map(tuple, DATA.x[:120].astype(np.float32))))
    assert len(e.train.y) == len(e.train.x)
    assert sorted(map(tuple, e.validation.x)) == sorted(set(map(tuple, DATA.x[120:].astype(np.float32))))
    assert [row["step"] for row in e.epochs] == [6, 12, 18, 24]
    assert e.accumulated == ()
    assert (e.trained_in_evaluation, e.measured_in_training) == (0, 0)
    probe = e.probes[0]
    assert list(probe.layers) == ["fc1", "norm", "act", "drop", "fc2"]
    assert [layer.kind for layer in probe.layers.values()] == ["Linear", "BatchNorm1d", "ReLU", "Dropout", "Linear"]
    assert probe.loss == e.losses[0]


def test_probes_of_fit_and_of_a_loop_agree():
    """The same training by fit and by hand shows the same layers, deltas and parameters."""
    cr.seed(1)
    model = cr.models.MLP(4, 8, 3)
    start = model.state_dict()
    loader = cr.data.Loader(DATA, batch_size=25)
    with cr.diagnosing() as fitted:
        cr.fit(model, loader, optimizer=cr.optim.SGD(model, lr=0.1), epochs=1, progress=False, compile=False)
    model.load_state_dict(start)
    optimizer = cr.optim.SGD(model, lr=0.1)
    with cr.diagnosing() as looped:
        for x, y in loader.epoch(0):
            optimizer.zero_grad()
            cross_entropy(model(x), y).backward()
            optimizer.step()
    one, two = fitted.evidence[0].probes[2], looped.evidence[0].probes[2]
    assert (one.step, one.loss) == (two.step, two.loss)
    assert one.parameters == two.parameters
    for path, layer in one.layers.items():
        for name in ("inputs", "output", "delta"):
            assert np.array_equal(getattr(layer, name), getattr(two.layers[path], name)), (path, name)


def habits(training):
    *_, report = trained(training, watching=True)
    (e,) = report.evidence
    return len(e.accumulated), e.trained_in_evaluation, e.measured_in_training


def forgetful(model):
    optimizer = cr.optim.SGD(model, lr=0.01)
    for x, y in cr.data.Loader(DATA, batch_size=25).epoch(0):
        cross_entropy(model(x), y).backward()
        optimizer.step()


def in_evaluation(model):
    model.eval()
    by_hand_without_modes(model, lambda: None)


def measured_in_training(model):
    by_hand_without_modes(model, lambda: model(DATA.x[100:]))


def measured_on_the_training_data(model):
    by_hand_without_modes(model, lambda: model(DATA.x[:100]))


def zeroed_by_none(model):
    by_hand_without_modes(model, lambda: None, lambda p: setattr(p, "grad", None))


def zeroed_by_zeros(model):
    by_hand_without_modes(model, lambda: None, lambda p: setattr(p, "grad", np.zeros(p.shape)))


def by_hand_without_modes(model, measure, clear=lambda p: p.node.__setattr__("grad", None)):
    optimizer = cr.optim.SGD(model, lr=0.01)
    for x, y in cr.data.Loader(DATA.x[:100], DATA.y[:100], 25).epoch(0):
        for p in model.parameters():
            clear(p)
        cross_entropy(model(x), y).backward()
        optimizer.step()
        measure()


@pytest.mark.parametrize(
    "training, expected",
    [
        (forgetful, (5, 0, 0)),
        (accumulated, (0, 0, 0)),
        (in_evaluation, (0, 4, 0)),
        (measured_in_training, (0, 0, 4)),
        (measured_on_the_training_data, (0, 0, 0)),
        (zeroed_by_none, (0, 0, 0)),
        (zeroed_by_zeros, (0, 0, 0)),
        (without_an_optimiser, (0, 0, 0)),
    ],
)
def test_habits(training, expected):
    assert habits(training) == expected


def test_two_networks_against_each_other():
    """The gradients that the critic's loss leaves in the generator are zeroed before the generator's step."""
    cr.seed(0)
    maker, critic = cr.models.MLP(2, 8, 2), cr.models.MLP(2, 8, 1)
    makes, criticises = cr.optim.Adam(maker, lr=0.01), cr.optim.Adam(critic, lr=0.01)
    ones, zeros = np.ones((16, 1), np.float32), np.zeros((16, 1), np.float32)
    draw, bce = np.random.default_rng(0), cr.losses.binary_cross_entropy_with_logits
    with cr.diagnosing() as report:
        for _ in range(6):
            fake = maker(draw.normal(size=(16, 2)).astype(np.float32))
            criticises.zero_grad()
            (bce(critic(DATA.x[:16, :2]), ones) + bce(critic(fake), zeros)).backward(retain_graph=True)
            criticises.step()
            makes.zero_grad()
            bce(critic(maker(draw.normal(size=(16, 2)).astype(np.float32))), ones).backward()
            makes.step()
    assert [len(e.losses) for e in report.evidence] == [6, 6]
    assert [e.model for e in report.evidence] == [critic, maker]
    assert [e.accumulated for e in report.evidence] == [(), ()]
    assert [e.measured_in_training for e in report.evidence] == [0, 0]


# What has happened.


def rates(step):
    return 0.001 if step < 50 else 5.0


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("compile", [True, False])
def test_a_blow_up_is_traced_back_to_its_step(compile):
    draw = np.random.default_rng(0)
    x, y = 3 * draw.normal(size=(200, 5)), draw.normal(size=200)
    cr.seed(0)
    model = cr.models.MLP(5, 16, 1)
    with cr.diagnosing(raising=False) as report:
        cr.fit(model, (x, y), "mse", "sgd", schedule=rates, epochs=30, progress=False, compile=compile)
    assert isinstance(report.error, cr.NumericalError)
    assert (report.cause.name, report.cause.step) == ("learning rate blow-up", 50)
    assert report.failure.phase == "forward"
    (e,) = report.evidence
    assert np.isfinite(e.ratios[1:53]).all()
    assert e.ratios[:50].max() < 0.05 < 1 < e.ratios[50]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("compile", [True, False])
def test_replaying_changes_nothing(compile):
    """What fit leaves behind after an error is the same: weights, the optimiser, gradients, random numbers."""
    targets = np.eye(3, dtype=np.float32)[DATA.y]

    def left(watching):
        cr.seed(0)
        model = cr.models.MLP(4, 16, 3, dropout=0.2)
        optimizer = cr.optim.SGD(model, lr=1e4, momentum=0.9)
        with cr.diagnosing() if watching else contextlib.nullcontext(), pytest.raises(cr.NumericalError) as error:
            cr.fit(model, (DATA.x, targets), "mse", optimizer, epochs=30, progress=False, compile=compile)
        state = optimizer.state_dict()
        arrays = model.state_dict() | state["arrays"] | {"draw": cr.rand(3).numpy()}
        grads = [p.grad.numpy().tobytes() for p in model.parameters()]
        return str(error.value), {name: a.tobytes() for name, a in arrays.items()}, state["numbers"], grads

    assert left(watching=False) == left(watching=True)
