"""What code may do besides computing is found without running it."""

import random
from functools import partial

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.plan.purity import impurity, model_impurity

SCALE = 2.0
COUNTS = []


class Pure(nn.Module):
    def __init__(self):
        self.inner = nn.Linear(2, 2)

    def forward(self, x):
        total = [self.inner(x) for _ in range(2)]
        return cr.tanh(sum(total)) * SCALE + np.sqrt(2.0)


class Counting(nn.Module):
    steps = 0

    def forward(self, x):
        self.steps += 1
        return x


class Noisy(nn.Module):
    def forward(self, x):
        return x if random.random() < 0.5 else -x


class Printing(nn.Module):
    def forward(self, x):
        print(x.shape)
        return x


def prints(z, y):
    print("called")
    return cr.losses.mse(z, y)


def counts(z, y):
    COUNTS.append(1)
    return cr.losses.mse(z, y)


def reads_a_list(z, y):
    return cr.losses.mse(z, y) * len(COUNTS)


def numpy_noise(z, y):
    return cr.losses.mse(z, y) * np.random.rand()


def calls_another(z, y):
    return prints(z, y)


def weighted(z, y):
    return (lambda v: cr.mean(v * v) * SCALE)(z - y)


def size(z, y):
    return cr.losses.mse(z, y) * z.size


PURE_SIZE, size = size, COUNTS  # another `size` of this module, which the function does not use


@pytest.mark.parametrize(
    "function", [weighted, PURE_SIZE, cr.losses.mse, partial(cr.losses.cross_entropy, label_smoothing=0.1)]
)
def test_code_that_only_computes_is_pure(function):
    assert impurity(function) == ""


@pytest.mark.parametrize(
    ("function", "found"),
    [
        (prints, "it uses print, a builtin_function_or_method"),
        (counts, "counts calls append"),
        (reads_a_list, "it uses COUNTS, a list"),
        (numpy_noise, "numpy_noise calls random"),
        (calls_another, "it uses print, a builtin_function_or_method"),
    ],
)
def test_what_else_code_does_is_found(function, found):
    assert impurity(function) == found


def test_models():
    assert model_impurity(nn.Sequential(Pure(), nn.ReLU(), nn.Lambda(lambda x: x * 2))) == ""
    assert model_impurity(nn.Sequential(one=Counting())) == "one: forward assigns to steps"
    assert model_impurity(nn.Sequential(one=Noisy())) == "one: forward calls random"
    assert model_impurity(Printing()) == "it uses print, a builtin_function_or_method"
    assert model_impurity(nn.Lambda(counts)).endswith("counts calls append")


def test_fit_plans_what_is_pure_and_runs_the_rest_as_it_is_written():
    x, y = np.ones((6, 2), np.float32), np.zeros((6, 2), np.float32)
    COUNTS.clear()
    cr.fit(nn.Linear(2, 2), (x, y), counts, epochs=3, batch_size=3, progress=False)
    assert len(COUNTS) == 6
    model = Counting()
    cr.fit(nn.Sequential(nn.Linear(2, 2), model), (x, y), "mse", epochs=2, batch_size=3, progress=False)
    assert model.steps == 4
