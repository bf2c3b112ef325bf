"""The whole text of each message of optimisers, schedules and clipping."""

import re

import numpy as np
import pytest

import chainrule as cr
from chainrule.backends.native.library import loaded
from chainrule.base.errors import DtypeError, GradientError, NumericalError, OptionError, ShapeError
from chainrule.optim import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Constant,
    Cosine,
    ExponentialSweep,
    Joined,
    LinearWarmup,
    OneCycle,
    PerEpoch,
    StepDecay,
    WarmRestarts,
    clip_grad_norm,
    clip_grad_value,
)


def refuses(kind, text):
    return pytest.raises(kind, match=f"^{re.escape(text)}$")


def weights(*shapes):
    return [cr.nn.Parameter(np.ones(shape)) for shape in shapes]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda p: Adam(p, lr=-1), "Adam expects lr to be a positive number, got -1."),
        (lambda p: Adam(p, lr="fast"), "Adam expects lr to be a positive number, got 'fast'."),
        (lambda p: SGD(p, lr=float("nan")), "SGD expects lr to be a positive number, got nan."),
        (lambda p: SGD(p, momentum=1), "SGD expects momentum to be at least 0 and below 1, got 1."),
        (lambda p: SGD(p, nesterov="yes"), "SGD expects nesterov to be True or False, got 'yes'."),
        (
            lambda p: AdamW(p, weight_decay=-0.1),
            "AdamW expects weight_decay to be zero or a positive number, got -0.1.",
        ),
        (
            lambda p: Adam(p, betas=(0.9, 1.0)),
            "Adam expects betas[1] to be at least 0 and below 1, got 1.0.",
        ),
        (lambda p: Adam(p, betas=0.9), "Adam expects betas to be two numbers, got 0.9."),
        (
            lambda p: Adagrad([{"params": p, "eps": None}]),
            "Adagrad expects eps to be zero or a positive number, got None.",
        ),
        (
            lambda p: SGD([{"params": p, "alpha": 0.9}]),
            "SGD has no setting 'alpha'.\n  known   params, lr, momentum, nesterov, dampening, weight_decay",
        ),
        (
            lambda p: SGD(p, 0.1, 0.9, nesterov=True, dampening=0.5),
            "Nesterov's step needs momentum above 0 and dampening 0, got momentum 0.9 and dampening 0.5.\n"
            "  try     SGD(parameters, lr, momentum=0.9, nesterov=True)",
        ),
    ],
)
def test_settings(make, text):
    with refuses(OptionError, text):
        make(weights(2))


def test_a_rate_that_is_set():
    optimizer = SGD(weights(2))
    for bad in (-0.1, float("inf"), None):
        with refuses(OptionError, f"SGD expects lr to be zero or a positive number, got {bad!r}."):
            optimizer.lr = bad
    optimizer.lr = 0
    assert optimizer.lr == 0.0


def test_what_is_no_parameter():
    model = cr.nn.Linear(3, 2)
    for given, what in ((model.named_parameters(), "tuple"), ([np.ones(2)], "ndarray"), ([1.0], "float")):
        with refuses(
            OptionError,
            f"Adam optimises Parameters, got a {what} at place 0.\n"
            "  try     model, model.parameters(), or cr.nn.Parameter(array)",
        ):
            Adam(given)
    with refuses(
        OptionError,
        "Adam optimises Parameters, got a dict at place 1.\n"
        "  try     model, model.parameters(), or cr.nn.Parameter(array)",
    ):
        Adam([model.weight, {"params": model.bias}])


def test_nothing_to_optimise():
    for nothing in ([], cr.nn.ReLU(), [{"params": []}]):
        with refuses(
            OptionError,
            "There is nothing to optimise: no parameter was given.\n"
            "  try     a model whose attributes hold layers that learn (parameters() can be read through only once)",
        ):
            Adam(nothing)


def test_groups():
    first, second = weights(3, 2)
    with refuses(OptionError, 'A group of SGD needs its parameters.\n  try     {"params": model, "lr": 1e-3}'):
        SGD([{"lr": 0.1}])
    with refuses(OptionError, "A parameter of shape (3,) is in two groups, 0 and 1."):
        SGD([{"params": [first]}, {"params": [second, first]}])
    with refuses(OptionError, "This Adam does not optimise that parameter of shape (2,)."):
        Adam(first).moments_of(second)


def test_mixed_dtypes():
    mixed = [cr.nn.Parameter(np.ones(2, np.float32)), *weights(2)]
    with refuses(
        DtypeError,
        "Parameters of one optimiser have one dtype, these have float32 and float64.\n"
        '  try     model.astype("float32")',
    ):
        SGD(mixed)


def test_no_gradient():
    model = cr.nn.Linear(3, 2)
    optimizer = Adam(model)
    with refuses(
        GradientError,
        "No parameter has a gradient, so Adam cannot step.\n"
        "  model   if it was made anew after the optimiser, make the optimiser anew too\n"
        "  try     loss.backward() before step(); zero_grad() before backward() or after step()",
    ):
        optimizer.step()
    assert optimizer.steps == 0
    assert optimizer.groups[0].counts.tolist() == [0, 0]


MOVED_OUT = (
    "These parameters were moved out of this buffer, by another optimiser or by astype.\n"
    "  try     make one optimiser over all of them, after astype"
)


def test_parameters_taken_over():
    first, second = weights(3, 2)
    before = SGD([first, second])
    SGD([second])
    first.grad = np.ones(3)
    with refuses(GradientError, MOVED_OUT):
        before.step()


@pytest.mark.parametrize("when", ["before", "after"])
def test_parameters_taken_over_in_a_plan(when):
    """A plan would change the buffer that the parameters have left, and nobody would see it."""
    first, second = weights(3, 2)
    old = SGD([first, second])

    @cr.compile
    def step():
        old.zero_grad()
        cr.sum(first**2).backward()
        cr.sum(second**2).backward()
        old.step()

    if when == "after":
        step()
    SGD([second])
    with refuses(GradientError, MOVED_OUT):
        step()


@pytest.mark.skipif(loaded() is None, reason="no compiled kernels")
def test_settings_that_a_plan_has_no_kernel_for():
    weight = cr.nn.Parameter(np.ones(3, np.float32))
    optimizer = cr.optim.Adam([weight])

    @cr.compile
    def step():
        optimizer.zero_grad()
        cr.sum(weight**2).backward()
        optimizer.step()

    step()
    before = weight.numpy().copy()
    optimizer.groups[0].settings["eps_inside_sqrt"] = True
    with refuses(
        OptionError,
        "The settings of Adam were changed to some that no compiled kernel serves.\n"
        "  try     make the optimiser, and the plan, anew with them",
    ):
        step()
    np.testing.assert_array_equal(weight.numpy(), before)


# --- State -----------------------------------------------------------------------------------------------


def refused_state(optimizer, state, kind, text):
    """The error, and the optimiser as it was."""
    before = optimizer.state_dict()
    with refuses(kind, text):
        optimizer.load_state_dict(state)
    after = optimizer.state_dict()
    assert before["numbers"] == after["numbers"]
    for name, array in before["arrays"].items():
        np.testing.assert_array_equal(after["arrays"][name], array)


def test_the_state_of_another_optimizer():
    refused_state(
        Adam(weights(2)),
        SGD(weights(2)).state_dict(),
        OptionError,
        "The state is of SGD, this optimiser is Adam.",
    )


def test_the_state_of_other_settings_or_groups():
    refused_state(
        SGD(weights(2), momentum=0.9),
        SGD([{"params": p} for p in weights(2, 3)]).state_dict(),
        OptionError,
        "The state does not belong to this optimiser.\n  missing 0.velocity\n  unknown 1.counts, 1.sizes",
    )
    refused_state(
        SGD(weights(2)),
        SGD(weights(2), momentum=0.9).state_dict(),
        OptionError,
        "The state does not belong to this optimiser.\n  missing nothing\n  unknown 0.velocity",
    )


def test_the_state_of_other_parameters():
    refused_state(
        Adam(weights(2)),
        Adam(weights(2, 3)).state_dict(),
        ShapeError,
        "0.sizes has shape (1,) here and (2,) in the state.",
    )
    refused_state(
        Adam(weights(2, 3)),
        Adam(weights(3, 2)).state_dict(),
        ShapeError,
        "The parameters have other sizes.\n  here    [2, 3]\n  state   [3, 2]",
    )
    single = Adam(cr.nn.Parameter(np.ones(2, np.float32)))
    refused_state(
        Adam(weights(2)),
        single.state_dict(),
        DtypeError,
        "0.m is float64 here and float32 in the state.",
    )


def test_a_state_without_its_parts():
    state = Adam(weights(2)).state_dict()
    del state["numbers"]
    refused_state(
        Adam(weights(2)),
        state,
        OptionError,
        "An optimiser's state has no 'numbers'.\n  has     optimizer, arrays",
    )
    state = Adam(weights(2)).state_dict()
    state["numbers"] = {"steps": 3, "lr": -1.0}
    refused_state(Adam(weights(2)), state, OptionError, "Adam expects lr to be zero or a positive number, got -1.0.")


# --- Clipping --------------------------------------------------------------------------------------------


def test_clipping_limits():
    w = weights(2)
    with refuses(OptionError, "clip_grad_norm expects max_norm to be a positive number, got 0."):
        clip_grad_norm(w, 0)
    with refuses(OptionError, "clip_grad_value expects limit to be a positive number, got -1.0."):
        clip_grad_value(w, -1.0)


def test_a_norm_that_is_not_finite():
    first, second = weights(2, (2, 2))
    first.grad, second.grad = np.ones(2), np.array([[1, np.nan], [np.inf, 2]])
    with refuses(
        NumericalError,
        "The gradient's norm is nan.\n  first   parameter 1, shape (2, 2): 2 of 4 entries are NaN or infinite",
    ):
        clip_grad_norm([first, second], 1.0, error_if_nonfinite=True)


# --- Schedules -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Constant(0), "Constant expects lr to be a positive number, got 0."),
        (
            lambda: StepDecay(0.1, every=2.5),
            "StepDecay expects every to be a whole number of at least 1, got 2.5.",
        ),
        (
            lambda: StepDecay(0.1, 10, factor=1.5),
            "StepDecay expects factor to be above 0 and at most 1, got 1.5.",
        ),
        (lambda: Cosine(0.1, 0), "Cosine expects steps to be a whole number of at least 1, got 0."),
        (lambda: Cosine(0.1, 10, 0.2), "Cosine expects lr_min of at most lr, got 0.2 and 0.1."),
        (
            lambda: WarmRestarts(0.1, 10, stretch=0.5),
            "WarmRestarts expects stretch to be at least 1, got 0.5.",
        ),
        (
            lambda: WarmRestarts(0.1, 10, lr_min=1.0),
            "WarmRestarts expects lr_min of at most lr, got 1 and 0.1.",
        ),
        (
            lambda: ExponentialSweep(1.0, 0.1, 10),
            "ExponentialSweep expects lr_min of at most lr_max, got 1 and 0.1.",
        ),
        (
            lambda: OneCycle(0.1, 10, rise=1.0),
            "OneCycle expects rise to be at least 0 and below 1, got 1.0.",
        ),
        (
            lambda: LinearWarmup(10, "cosine"),
            "LinearWarmup expects then to be a schedule or a positive number, got 'cosine'.",
        ),
        (
            lambda: Joined(0.1, 5, -0.1),
            "Joined expects then to be a schedule or a positive number, got -0.1.",
        ),
        (
            lambda: PerEpoch(Constant(0.1), 0),
            "PerEpoch expects steps_per_epoch to be a whole number of at least 1, got 0.",
        ),
    ],
)
def test_schedules(make, text):
    with refuses(OptionError, text):
        make()
