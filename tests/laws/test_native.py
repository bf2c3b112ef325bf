"""Every compiled kernel is its twin in NumPy, to rounding, on one thread and on several, and takes NaN as it comes."""

import ctypes

import numpy as np
import pytest

import chainrule as cr
from chainrule.backends import numpy_compiled
from chainrule.backends.native import chains, convolutions, kernels, recurrences
from chainrule.backends.native.calls import runner
from chainrule.backends.native.library import address, loaded, threads
from chainrule.ops.windows import adaptive, regular
from tests.laws.domains import CASES, Case, anywhere, by_label, results
from tests.laws.domains_recurrence import backwards, recurrence, small

pytestmark = pytest.mark.skipif(loaded() is None, reason="no compiled kernels: no compiler, or CHAINRULE_NATIVE=0")

RELATIVE, ABSOLUTE = 3e-5, 3e-6  # float32: sums in another order, exponentials to 3 units in the last place
OF_LARGEST = 2e-6  # of the largest entry: sums of some hundred products, which may cancel
SUMMING = {*convolutions.RULES, *recurrences.RULES}


def convolved(x, w, y, stride=(1, 1), padding=((0, 0), (0, 0)), dilation=(1, 1), groups=1):
    """A call of the convolution, and those of its transpose and its weights."""
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return (
        ((x, w), settings),
        ((y, w), {"size": x[2:], **settings}),
        ((x, y), {"kernel": w[2:], **settings}),
    )


def pooled(x, *axes):
    """A call of the largest entries of windows, and that of its derivative."""
    y = (*x[:2], *map(len, axes))
    return ((x,), {"windows": axes}), ((y, x, y), {"windows": axes})


def sequences(calls, *args, **kind):
    """Calls of a recurrence or its derivative, of sizes that fill no block, no tile and no vector."""
    sizes = [(7, 9, 5, 33), (40, 6, 20, 24), (300, 2, 3, 6), (1, 30, 17, 1), (33, 5, 40, 64)]
    return [call for n, t, inputs, h in sizes for call in calls(*args, sizes=(n, t, inputs, h), **kind).calls[:2]]


SAME = ((1, 1), (1, 1))
CONVOLVED = [
    convolved((5, 3, 19, 21), (8, 3, 3, 3), (5, 8, 17, 19)),
    convolved((3, 8, 30, 31), (12, 4, 3, 5), (3, 12, 15, 15), (2, 2), ((1, 1), (2, 1)), groups=2),
    convolved((2, 20, 11, 12), (20, 1, 3, 3), (2, 20, 7, 16), (1, 1), ((0, 0), (4, 4)), (2, 2), groups=20),
    convolved((7, 33, 40), (9, 33, 5), (7, 9, 20), (2,), ((2, 2),), (1,)),
    convolved((4, 16, 12, 14), (17, 16, 3, 3), (4, 17, 12, 14), padding=SAME),
    convolved((4, 32, 9, 27), (16, 32, 3, 3), (4, 16, 7, 25)),
    convolved((23, 24, 5, 4), (24, 24, 3, 3), (23, 24, 6, 4), padding=((2, 1), (0, 2))),
    convolved((9, 20, 8, 7), (10, 20, 3, 3), (9, 10, 12, 11), padding=((3, 3), (3, 3))),
    convolved((2, 64, 30, 30), (64, 64, 3, 3), (2, 64, 30, 30), padding=SAME),
    convolved((3, 20, 40), (40, 1, 9), (3, 40, 18), (2,), ((2, 1),), (1,), groups=20),
]
POOLED = [
    pooled((3, 5, 13, 26), regular(13, 2, 2), regular(26, 2, 2)),
    pooled((2, 4, 17, 16), regular(17, 3, 2, (1, 1)), regular(16, 3, 2, (1, 1))),
    pooled((2, 4, 17), regular(17, 2, 1)),
    pooled((2, 3, 12, 7), adaptive(12, 5), adaptive(7, 7)),
]

LARGE = {
    "add_at": [(((70, 33), (70,)), {"shape": (3, 33)})],
    "attention": [
        (((2, 3, 130, 16), (2, 3, 130, 16), (2, 3, 130, 8)), {"scale": 0.25, "band": (None, 0), "block": 64}),
        (((2, 70, 8), (2, 90, 8), (2, 90, 8)), {"scale": 0.3, "band": (-20, 30), "block": 64}),
    ],
    "conv": [conv for conv, _, _ in CONVOLVED],
    "conv_transpose": [transpose for _, transpose, _ in CONVOLVED],
    "conv_weight": [weight for _, _, weight in CONVOLVED],
    "matmul": [(((150, 70), (70, 90)), {}), (((3, 40, 30), (3, 30, 50)), {})],
    "gru": sequences(recurrence, 3, 2),
    "gru_back": sequences(backwards, 3, saved=(4,)),
    "lstm": sequences(recurrence, 4, 1, states=2),
    "lstm_back": sequences(backwards, 4, states=2, saved=(1, 4)),
    "max_pool": [pool for pool, _ in POOLED],
    "max_pool_spread": [spread for _, spread in POOLED],
    "mean": [(((40, 50, 60),), {"axis": (1,)}), (((300, 200),), {"axis": (0,)})],
    "pad": [
        (((5, 8, 20, 30),), {"widths": ((1, 2), (0, 3)), "value": 2.0}),
        (((40, 50, 60),), {"widths": ((0, 0), (0, 0), (7, 1))}),
    ],
    "resample": [
        (((4, 6, 30, 20),), {"axis": -2, "windows": adaptive(30, 7)}),
        (((4, 6, 30, 20),), {"axis": -1, "windows": regular(20, 3, 1, (1, 1))}),
    ],
    "rnn": sequences(recurrence, 1, 1, nonlinearity="tanh") + sequences(recurrence, 1, 1, nonlinearity="relu"),
    "rnn_back": sequences(backwards, 1, nonlinearity="tanh") + sequences(backwards, 1, nonlinearity="relu"),
    "softmax": [(((400, 37),), {"axis": 1})],
    "softmax_cross_entropy": [(((500, 3), (500,)), {})],
    "softmax_cross_entropy_back": [(((500,), (500, 3), (500,)), {})],
    "standardise": [
        (((300, 100),), {"axis": (1,), "eps": 1e-5}),
        (((300, 100),), {"axis": (0,), "eps": 1e-5}),
        (((8, 20, 9, 9),), {"axis": (0, 2, 3), "eps": 1e-5}),
    ],
    "sum": [(((8, 20, 30, 30),), {"axis": (0, 2, 3)}), (((70000,),), {"axis": (0,)})],
    "take_at": [(((3, 40), (2000,)), {})],
}
"""Calls beside those of the domains, large enough to be shared by threads."""


def whole(draw, shape):
    """Few numbers, so that many are equal."""
    return draw.integers(0, 3, shape).astype(float)


def tame(draw, shape):
    """As small as the weights of a layer: rounding errors do not grow from step to step."""
    return draw.uniform(-1, 1, shape) / np.sqrt(max(1, *shape[-1:]))


def cases():
    entries = {c.name: c.entries for c in CASES} | {"max_pool_spread": (anywhere, whole, whole)}
    entries |= {n: tuple(tame if e is small else e for e in entries[n]) for n in recurrences.RULES}
    larger = [
        Case(name, 100 + i, shapes, settings, entries[name])
        for name, calls in LARGE.items()
        for i, (shapes, settings) in enumerate(calls)
    ]
    return [c for c in CASES if c.name in kernels.RULES] + larger


def compiled(name, args, outs, settings):
    return kernels.RULES[name](*args, *outs, **settings)


def wide(a):
    """float64, in which NumPy computes what is wanted."""
    return a.astype(np.float64) if a.dtype.kind == "f" else a


@pytest.fixture(params=[1, 2], ids=["one-thread", "two-threads"])
def crew(request):
    loaded().set_threads(ctypes.c_int64(request.param))
    yield request.param
    loaded().set_threads(ctypes.c_int64(threads()))


@pytest.mark.parametrize(**by_label(cases()))
def test_a_kernel_is_its_twin(case, crew):
    args = case.draw(np.float32)
    outs = [np.full(s.shape, 7, s.dtype) for s in results(case.primitive.spec(*args, **case.settings))]
    call = compiled(case.name, args, outs, case.settings)
    if call is None:
        pytest.skip("left to NumPy")
    runner([call])()
    wanted = results(case.primitive(*map(wide, args), **case.settings))
    for got, value in zip(outs, wanted, strict=True):
        summed = OF_LARGEST * np.abs(value).max() if case.name in SUMMING else 0
        np.testing.assert_allclose(got, value, rtol=RELATIVE, atol=max(ABSOLUTE, summed))


@pytest.mark.parametrize("name", kernels.RULES)
def test_every_rule_serves_some_case(name):
    served = [c for c in cases() if c.name == name and _called(c) is not None]
    assert len(served) > 1


def _called(case):
    args = case.draw(np.float32)
    outs = [np.empty(s.shape, s.dtype) for s in results(case.primitive.spec(*args, **case.settings))]
    return compiled(case.name, args, outs, case.settings)


SERVED = [c for c in cases() if c.name in numpy_compiled.SHAPES]


@pytest.mark.parametrize(**by_label(SERVED))
def test_define_by_run_calls_the_kernel_for_large_arrays(case, monkeypatch):
    args = case.draw(np.float32)
    specs = results(case.primitive.spec(*args, **case.settings))
    shapes = numpy_compiled.SHAPES[case.name](*args, **case.settings)
    assert (shapes if isinstance(shapes, list) else [shapes]) == [s.shape for s in specs]
    outs = [np.empty(s.shape, np.float32) for s in specs]
    call = compiled(case.name, args, outs, case.settings)
    if call is None:
        pytest.skip("left to NumPy")
    runner([call])()
    monkeypatch.setattr(numpy_compiled, "SMALLEST", 0)
    for got, wanted in zip(results(case.primitive(*args, **case.settings)), outs, strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("way", ["", "_transpose", "_weight"])
def test_convolutions_go_every_way(way):
    calls = [_called(c) for c in cases() if c.name == f"conv{way}"]
    used = {call.function for call in calls if call is not None}
    assert used == {address(kernel + way) for kernel in ("conv", "depthwise", "winograd")}


@pytest.mark.parametrize(**by_label([c for c in cases() if c.name in convolutions.RULES and c.number >= 100]))
def test_a_convolution_is_the_same_however_many_threads_work(case):
    args, made = case.draw(np.float32), []
    for crew in (1, 2, 2):
        loaded().set_threads(ctypes.c_int64(crew))
        made.append(np.empty(case.primitive.spec(*args, **case.settings).shape, np.float32))
        runner([compiled(case.name, args, made[-1:], case.settings)])()
    loaded().set_threads(ctypes.c_int64(threads()))
    np.testing.assert_array_equal(made[0], made[1])
    np.testing.assert_array_equal(made[1], made[2])


@pytest.mark.parametrize("axes", [pool[1]["windows"] for pool, _ in POOLED[:2]])
def test_a_window_with_nan_has_no_largest_entry(axes):
    x = np.random.default_rng(0).standard_normal((4, 16, *(w.size for w in axes))).astype(np.float32)
    x[:, :, ::5, ::3] = np.nan
    wanted = cr.PRIMITIVES["max_pool"](x.astype(np.float64), windows=axes)
    np.testing.assert_array_equal(cr.PRIMITIVES["max_pool"](x, windows=axes), wanted.astype(np.float32))


ENTRYWISE = [c for c in CASES if c.name in chains.RULES and chains.covers(c.name, c.settings)]


@pytest.mark.parametrize(**by_label(ENTRYWISE))
def test_an_operation_of_the_chain_is_its_twin(case, crew):
    args = case.draw(np.float32)
    spec = case.primitive.spec(*args, **case.settings)
    if spec.dtype not in (np.float32, bool) or not spec.size or any(a.dtype.kind not in "fb" for a in args):
        pytest.skip("left to NumPy")
    y = np.zeros(spec.shape, spec.dtype)
    writer = chains.Writer()
    register = chains.RULES[case.name](writer, *map(writer.input, args), **case.settings)
    runner([writer.call([(register, y)])])()
    wanted = case.primitive(*map(wide, args), **case.settings)
    np.testing.assert_allclose(y, wanted, rtol=RELATIVE, atol=ABSOLUTE)


def dtype_of(name, args):
    return cr.PRIMITIVES[name].spec(*[np.zeros(1, a.dtype) for a in args]).dtype


@pytest.mark.parametrize("name", chains.DIRECT)
def test_special_numbers_come_out_as_in_numpy(name):
    special = np.array([0, -0.0, 1, -1, np.inf, -np.inf, np.nan, 1e-40, 88.8, -104, 3e38, 0.5], np.float32)
    arity = 3 if name == "choose" else len(cr.PRIMITIVES[name].latex) - 1
    args = [a.ravel() for a in np.meshgrid(*[special] * arity)]
    if name == "choose":
        args[2] = args[2] > 0
    if name.startswith("logical"):
        args = [a > 0 for a in args]
    with np.errstate(all="ignore"):
        wanted = cr.PRIMITIVES[name](*map(wide, args)).astype(dtype_of(name, args))
    writer, y = chains.Writer(), np.zeros(wanted.shape, wanted.dtype)
    registers = [writer.input(a) for a in args]
    runner([writer.call([(chains.RULES[name](writer, *registers), y)])])()
    np.testing.assert_allclose(y, wanted, rtol=1e-6, atol=1e-37)


@pytest.mark.parametrize("shape", [(7, 5), (3, 1, 900), (1, 1), (2, 3, 4, 5, 6)])
def test_operands_may_lie_in_any_way(shape, crew):
    draw = np.random.default_rng(0)
    a = draw.standard_normal(shape[::-1]).astype(np.float32).T
    b = np.broadcast_to(draw.standard_normal(shape[-1:]).astype(np.float32), shape)
    c = np.broadcast_to(np.float32(3), shape)
    writer, y = chains.Writer(), np.zeros(shape, np.float32)
    register = writer.input(a) * writer.input(b) + writer.input(c)
    runner([writer.call([(register, y)])])()
    np.testing.assert_array_equal(y, a * b + c)
