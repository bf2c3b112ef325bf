"""cr.diagnosing and its report: whole texts."""

from textwrap import dedent

import numpy as np
import pytest

import chainrule as cr


@pytest.fixture(autouse=True)
def unjudged(monkeypatch):
    """Rules have texts of their own."""
    monkeypatch.setattr("chainrule.glass.verdicts.report.judge", lambda evidence: ())


def test_a_block_inside_another():
    with cr.diagnosing(), pytest.raises(cr.OptionError) as error, cr.diagnosing():
        pass
    assert str(error.value) == (
        "cr.diagnosing() is open already: one block sees all that is trained inside it.\n"
        "  try     one block around both"
    )
    with cr.diagnosing():  # the outer one has ended
        pass


def test_nothing_was_trained():
    with cr.diagnosing() as report:
        cr.models.MLP(2, 3, 1)([[1.0, 2.0]])
    assert str(report) == "Nothing was trained."
    assert report
    assert report.cause is None


def test_nothing_wrong():
    with cr.diagnosing() as report:
        cr.fit(cr.models.MLP(4, 8, 3), cr.data.iris(), epochs=2, progress=False)
    assert str(report) == "Nothing wrong was found in 10 steps."
    assert report
    with cr.diagnosing() as report:
        for _ in range(2):
            cr.fit(cr.models.MLP(4, 8, 3), cr.data.iris(), epochs=2, progress=False)
    assert str(report) == "Nothing wrong was found in 20 steps of 2 trainings."


def line():
    """y = 2x by one weight of 1, with a rate at which its error grows 79 times in every step."""
    model = cr.nn.Sequential(fc=cr.nn.Linear(1, 1, bias=False))
    model.fc.weight.assign([[1.0]])
    return model, np.array([[1.0], [2.0]], np.float32), np.array([[2.0], [4.0]], np.float32)


BLOWN_UP = """
    The learning rate 16 blew the training up: in step 0 layer fc moved by 80 times its norm.
      verdict learning rate blow-up
      layer   fc = Linear(1 → 1, no bias)
      step    0
      seen    step 0: loss 2.5, ‖Δθ‖ / ‖θ‖ = 80, lr 16
              step 1: loss 1.56e+04, ‖Δθ‖ / ‖θ‖ = 78, lr 16
      try     a learning rate of 0.001 to 0.01, or clip_norm=1.0
    """


def by_hand(steps):
    model, x, y = line()
    optimizer = cr.optim.SGD(model, lr=16.0)
    with cr.diagnosing() as report:
        for _ in range(steps):
            optimizer.zero_grad()
            cr.losses.mse(model(x), y).backward()
            optimizer.step()
    return report


def by_fit(steps):
    model, x, y = line()
    with cr.diagnosing(raising=False) as report:
        cr.fit(model, (x, y), "mse", cr.optim.SGD(model, lr=16.0), epochs=steps, batch_size=2, progress=False)
    return report


@pytest.mark.parametrize("training", [by_hand, by_fit])
def test_a_blow_up(training):
    report = training(4)
    assert str(report) == dedent(BLOWN_UP).strip()
    assert not report
    assert (report.failure, report.error) == (None, None)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("training", [by_hand, by_fit])
def test_a_blow_up_to_the_end(training):
    report = training(12)
    cause, consequence = str(report).split("\n\n")
    assert cause == dedent(BLOWN_UP).strip()
    assert report.failure.rule == "overflow of float32"
    assert consequence.splitlines()[1:3] == [
        "  verdict not finite",
        "  step    10",
    ]  # 4 · 79²⁰ = 3.6e38 is too large for float32


class Logarithm(cr.nn.Module):
    def forward(self, x):
        return cr.log(x)


NOT_FINITE = """
    The forward pass is not finite: log of 0.
      verdict not finite
      layer   log = Logarithm()
      step    0
      seen    in      log at LINE
              from    a = 0 at 1, 0
              gave    -inf at 1, 0; 1 of 2 entries
              rule    log x goes to −∞ as x goes to 0
      try     a loss on logits, which needs no log; or cr.log(x + 1e-7)
    """


def logarithmic():
    model = cr.nn.Sequential(log=Logarithm(), fc=cr.nn.Linear(1, 1))
    return model, np.array([[1.0], [0.0]], np.float32), np.array([[2.0], [4.0]], np.float32)


def lined(report):
    return str(report).replace(report.failure.source, "LINE")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_failure_by_hand():
    model, x, y = logarithmic()
    optimizer = cr.optim.SGD(model, lr=0.1)
    with cr.diagnosing() as report:
        cr.losses.mse(model(x), y).backward()
        optimizer.step()
    assert lined(report) == dedent(NOT_FINITE).strip()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_failure_that_ends_the_loop():
    """The loop looks at its loss, and ends before the gradient."""
    model, x, y = logarithmic()
    with pytest.raises(ArithmeticError), cr.diagnosing() as report:
        loss = cr.losses.mse(model(x), y)
        if not np.isfinite(float(loss)):
            raise ArithmeticError("not finite")
    assert lined(report) == dedent(NOT_FINITE).strip().replace("  step    0\n", "")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("compile", [True, False])
def test_a_failure_of_fit(compile):
    model, x, y = logarithmic()
    with cr.diagnosing(raising=False) as report:
        cr.fit(model, (x, y), "mse", batch_size=2, progress=False, compile=compile)
    assert lined(report) == dedent(NOT_FINITE).strip()
    assert str(report.error).startswith("The loss became inf at step 0 (epoch 1, batch 1).")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_failure_of_a_compiled_step():
    model, x, y = logarithmic()
    optimizer = cr.optim.SGD(model, lr=0.1)

    @cr.compile
    def step(x, y):
        optimizer.zero_grad()
        loss = cr.losses.mse(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    with cr.diagnosing() as report:
        step(x, y)
    assert lined(report) == dedent(NOT_FINITE).strip()


def test_a_failure_that_a_loss_scale_expects():
    """Overflow of a scaled loss is answered by a smaller scale: no step is made with it, and nothing is wrong."""
    model, x, y = line()
    optimizer, scale = cr.optim.SGD(model.astype("float16"), lr=1e-3), cr.optim.LossScale(2.0**16)
    with cr.diagnosing() as report:
        for _ in range(20):
            scale.backward(cr.losses.mse(model(x), y))
            scale.step(optimizer)
    assert scale.scale < 2.0**16
    assert report.failure is None
