"""A stated workspace is what NumPy's kernel then takes, within a tenth, masked or not, in both precisions."""

import tracemalloc

import numpy as np
import pytest

from chainrule import PRIMITIVES
from chainrule.backends import numpy_compiled
from chainrule.core.primitive import Primitive
from chainrule.ops.windows import regular
from tests.laws.domains_recurrence import sequence

TENTH = 0.1
BUFFERS = 130_000  # bytes: two of NumPy's own for a ufunc on arrays that do not lie together

N, T, H = 200, 20, 24
KINDS = {
    "lstm": ({"gates": 4, "biases": 1, "states": 2}, (1, 4), {}),
    "gru": ({"gates": 3, "biases": 2}, (4,), {}),
    "rnn": ({"gates": 1, "biases": 1}, (), {"nonlinearity": "tanh"}),
    "chung_gru": ({"gates": 3, "biases": 1}, (3,), {}),
    "residual_rnn": ({"gates": 1, "biases": 1, "skips": 1}, (1,), {"nonlinearity": "tanh"}),
    "highway_rnn": ({"gates": 2, "biases": 1}, (2,), {"nonlinearity": "tanh", "carry": "state"}),
}
"""What `sequence` is told of each recurrence, the widths of what it saves beside its states, its settings."""


def recurrences():
    for name, (kind, saved, settings) in KINDS.items():
        for inputs, masks in ((12, ()), (100, ((N, T),))):
            settings = {**settings, "reverse": bool(masks)}
            yield name, (*sequence(N, T, inputs, H, **kind), *masks), settings
            x, *first, _, u = sequence(N, T, inputs, H, **{**kind, "biases": 0, "skips": 0})
            results = [(N, T, H), *((N, T, k * H) for k in saved)]
            skips = [(H, H)] * kind.get("skips", 0)
            yield f"{name}_back", (*results, *results, x, *first, u, *skips, *masks), settings


def pools():
    for settings in ((2, 2), (3, 2), (3, 1)):
        axes = (regular(40, *settings), regular(40, *settings))
        x, y = (30, 20, 40, 40), (30, 20, *map(len, axes))
        yield "max_pool", (x,), {"windows": axes}
        yield "max_pool_spread", (y, x, y), {"windows": axes}


CALLS = [
    *recurrences(),
    *pools(),
    ("choose", ((300, 500),) * 3, {}),
    ("softmax_cross_entropy", ((3000, 100), (3000,)), {}),
    ("standardise", ((30, 100, 30, 30),), {"axis": (0, 2, 3), "eps": 1e-5}),
    ("standardise", ((3000, 100),), {"axis": (1,), "eps": 1e-5}),
    ("standardise_back", ((3000, 100), (1, 100), (1, 100), (3000, 100), (1, 100)), {"axis": (0,), "eps": 1e-5}),
]


def drawn(name, shapes, dtype):
    """Arguments; a cotangent of a result that nobody uses is nothing, as in training."""
    draw = np.random.default_rng(0)
    args = [draw.uniform(0.1, 1, s).astype(dtype) / max(s[-1:]) for s in shapes]
    if name in ("choose", *KINDS, *(f"{k}_back" for k in KINDS)) and shapes[-1] in ((N, T), (300, 500)):
        args[-1] = draw.random(shapes[-1]) < 0.5
    if name == "softmax_cross_entropy":
        args[-1] = np.zeros(shapes[-1], np.int64)
    unused = range(1, 1 + len(KINDS[name[:-5]][1])) if name[:-5] in KINDS else (1, 2) * (name == "standardise_back")
    for i in unused:
        args[i] = np.broadcast_to(np.zeros((), dtype), shapes[i])
    return args


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "shapes", "settings"), CALLS, ids=[f"{i}-{c[0]}" for i, c in enumerate(CALLS)])
def test_a_stated_workspace_is_what_is_then_taken(name, shapes, settings, dtype, monkeypatch):
    monkeypatch.setattr(numpy_compiled, "SMALLEST", dict.fromkeys(numpy_compiled.SMALLEST, np.inf))
    hold(name, shapes, settings, dtype)


def hold(name, shapes, settings, dtype):
    """What a kernel takes at its peak is what is stated."""
    primitive, args = PRIMITIVES[name], drawn(name, shapes, dtype)
    specs = primitive.spec(*args, **settings)
    several = type(specs) is tuple
    out = tuple(np.empty(s.shape, s.dtype) for s in (specs if several else (specs,)))
    kernel = primitive.kernel_for(np.ndarray, args[0])
    place = out if several else out[0]
    kernel(*args, out=place, **settings)  # what is made at a first call and kept is no workspace
    tracemalloc.start()
    kernel(*args, out=place, **settings)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert abs(primitive.workspace_bytes(*args, **settings) - peak) <= TENTH * peak + BUFFERS


def test_every_stated_workspace_is_tested():
    stated = {n for n, p in PRIMITIVES.items() if p._workspace.__module__ != Primitive.__module__}
    assert stated == {name for name, _, _ in CALLS}


@pytest.mark.parametrize(
    "call", [next(c for c in CALLS if c[0] == name) for name in dict.fromkeys(c[0] for c in CALLS)]
)
def test_a_wrong_workspace_is_caught(call, monkeypatch):
    monkeypatch.setattr(numpy_compiled, "SMALLEST", dict.fromkeys(numpy_compiled.SMALLEST, np.inf))
    primitive = PRIMITIVES[call[0]]
    right = primitive._workspace
    monkeypatch.setattr(primitive, "_workspace", lambda *args, **params: right(*args, **params) * 1.3)
    with pytest.raises(AssertionError):
        hold(*call, np.float64)
