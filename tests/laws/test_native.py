"""Every compiled kernel is its twin in NumPy, to rounding, on one thread and on several, and takes NaN as it comes."""

import ctypes
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

import chainrule as cr
from chainrule.backends import chain_rules, numpy_compiled
from chainrule.backends.native import chains, convolutions, kernels, recurrences
from chainrule.backends.native.again import Remembered
from chainrule.backends.native.ahead import NUMBERS, PLACE, ROWS, RowsAhead, is_table
from chainrule.backends.native.calls import NativeCall, Series, runner
from chainrule.backends.native.library import address, loaded, threads
from chainrule.backends.numpy_backend import NUMPY
from chainrule.ops.comparison import choose
from chainrule.ops.linear_algebra import matmul_
from chainrule.ops.windows import adaptive, regular
from chainrule.train.objective import correct
from tests.laws.domains import CASES
from tests.laws.domains_recurrence import backwards, recurrence, small
from tests.laws.entries import Case, anywhere, by_label, results

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


ENTRYWISE = [c for c in CASES if c.name in numpy_compiled.ENTRYWISE]


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


PRODUCTS = [
    (8, 48, 8), (9, 16, 33), (6, 64, 64), (129, 257, 300), (40, 65, 16), (64, 130, 515), (13, 100, 1), (300, 17, 90),
    (1, 64, 40), (260, 784, 128),
]  # fmt: skip
"""Sizes m, n, k that fill tiles and panels, and such that do not."""


@pytest.mark.parametrize("adds", [0.0, 1.0])
@pytest.mark.parametrize("turned", [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("m, n, k", PRODUCTS)
def test_a_product_is_that_of_numpy(m, n, k, turned, adds, crew):
    draw = np.random.default_rng(m + n + k)
    x, y, z = (draw.standard_normal(size).astype(np.float32) for size in ((m, k), (k, n), (m, n)))
    wanted = x.astype(float) @ y.astype(float) + adds * z.astype(float)
    x, y = (np.ascontiguousarray(a.T) if t else a for a, t in zip((x, y), turned, strict=True))
    words = [m, n, k, x, x.shape[1], turned[0], y, y.shape[1], turned[1], z, n, 1.0, adds, 1, 0, 0, 0]
    runner([NativeCall("product", *words)])()
    np.testing.assert_allclose(z, wanted, rtol=0, atol=OF_LARGEST * np.abs(wanted).max())


# --- products with a matrix of many zeros -------------------------------------------------------------

SPARSE = [
    (128, 256, 784), (256, 784, 128), (37, 83, 301), (90, 70, 2000), (5003, 48, 40), (48, 5000, 64), (130, 65, 129),
]  # fmt: skip
"""Sizes m, n, k that fill bands of rows and panels, and such that do not; more rows than are listed at once."""


def with_zeros(matrix, draw):
    """Empty columns, as the margins of images, and single zeros, one of them negative."""
    matrix[:, draw.random(matrix.shape[1]) < 0.6] = 0
    matrix[draw.random(matrix.shape) < 0.5] = 0
    matrix[0, 0] = -0.0
    return matrix


def product_of(x, y, turned=(0, 0), z=None, copies=1):
    """x y by the compiled kernel, by itself or as the first of several alike, which leave nothing out."""
    (m, k), n = x.shape, y.shape[1]
    added, z = z is not None, np.stack([np.full((m, n), 7, np.float32) if z is None else z] * copies)
    stacks = [np.stack([np.ascontiguousarray(a.T) if t else a] * copies) for a, t in zip((x, y), turned, strict=True)]
    (left, right), steps = stacks, [s[0].size * (copies > 1) for s in (*stacks, z)]
    words = [m, n, k, left, left.shape[2], turned[0], right, right.shape[2], turned[1], z, n, 1.0, float(added)]
    runner([NativeCall("product", *words, copies, *steps)])()
    return z[0]


@pytest.mark.parametrize("turned", [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("m, n, k", SPARSE)
def test_zeros_are_left_out_without_a_trace(m, n, k, side, turned, crew):
    draw = np.random.default_rng(m + n + k)
    x, y = (draw.standard_normal(size).astype(np.float32) for size in ((m, k), (k, n)))
    x, y = (with_zeros(x, draw), y) if side == 0 else (x, with_zeros(y.T, draw).T)
    wanted = x.astype(float) @ y.astype(float)
    got = product_of(x, y, turned)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=OF_LARGEST * np.abs(wanted).max())
    np.testing.assert_array_equal(got, product_of(x, y, turned, copies=2))


@pytest.mark.parametrize("adds", [False, True])
@pytest.mark.parametrize("side", [0, 1])
def test_what_is_not_finite_meets_zeros_as_ever(side, adds, crew):
    draw = np.random.default_rng(0)
    x, y, z = (draw.standard_normal(s).astype(np.float32) for s in ((129, 300), (300, 130), (129, 130)))
    x, y = (with_zeros(x, draw), y) if side == 0 else (x, with_zeros(y.T, draw).T)
    dense = x if side else y
    dense[7, 5], dense[90, 111], dense[100, 70] = np.inf, np.nan, -np.inf
    z = z if adds else None
    got, wanted = product_of(x, y, z=z), product_of(x, y, z=z, copies=2)
    np.testing.assert_array_equal(got, wanted)
    assert not np.isfinite(got).all() and np.isfinite(got).any()


def test_threads_may_be_more_than_panels(crew):
    draw = np.random.default_rng(0)
    x, y = (draw.standard_normal(s).astype(np.float32) for s in ((3000, 100), (100, 50)))
    with_zeros(x, draw)
    np.testing.assert_array_equal(product_of(x, y), product_of(x, y, copies=2))


# --- rules ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", kernels.RULES)
def test_every_rule_serves_some_case(name):
    served = [c for c in cases() if c.name == name and _called(c) is not None]
    assert len(served) > 1


def _called(case):
    args = case.draw(np.float32)
    outs = [np.empty(s.shape, s.dtype) for s in results(case.primitive.spec(*args, **case.settings))]
    return compiled(case.name, args, outs, case.settings)


SERVED = [c for c in (*cases(), *ENTRYWISE) if c.name in numpy_compiled.SMALLEST]


@pytest.mark.parametrize(**by_label(SERVED))
def test_define_by_run_calls_the_kernel_for_large_arrays(case, monkeypatch):
    args = case.draw(np.float32)
    specs = case.primitive.spec(*args, **case.settings)
    outs = [np.empty(s.shape, s.dtype) for s in (specs if type(specs) is tuple else [specs])]
    rule = partial(chains.entrywise, case.name) if case.name in numpy_compiled.ENTRYWISE else kernels.RULES[case.name]
    call = rule(*args, *outs, **case.settings)
    if call is None:
        pytest.skip("left to NumPy")
    runner([call])()
    monkeypatch.setattr(numpy_compiled, "SMALLEST", dict.fromkeys(numpy_compiled.SMALLEST, 0))
    serve = numpy_compiled.compiled(NUMPY.kernels.get(case.name, case.primitive.kernel), case.primitive)
    made = serve(*args, **case.settings)
    for got, wanted in zip(made if type(made) is tuple else [made], outs, strict=True):
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
    writer = chains.NativeWriter()
    register = chains.RULES[case.name](writer, *map(writer.input, args), **case.settings)
    runner([writer.call([(register, y)])])()
    wanted = case.primitive(*map(wide, args), **case.settings)
    np.testing.assert_allclose(y, wanted, rtol=RELATIVE, atol=ABSOLUTE)


def dtype_of(name, args):
    return cr.PRIMITIVES[name].spec(*[np.zeros(1, a.dtype) for a in args]).dtype


@pytest.mark.parametrize("name", chain_rules.DIRECT)
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
    writer, y = chains.NativeWriter(), np.zeros(wanted.shape, wanted.dtype)
    registers = [writer.input(a) for a in args]
    runner([writer.call([(chains.RULES[name](writer, *registers), y)])])()
    np.testing.assert_allclose(y, wanted, rtol=1e-6, atol=1e-37)


@pytest.mark.parametrize("shape", [(7, 5), (3, 1, 900), (1, 1), (2, 3, 4, 5, 6)])
def test_operands_may_lie_in_any_way(shape, crew):
    draw = np.random.default_rng(0)
    a = draw.standard_normal(shape[::-1]).astype(np.float32).T
    b = np.broadcast_to(draw.standard_normal(shape[-1:]).astype(np.float32), shape)
    c = np.broadcast_to(np.float32(3), shape)
    writer, y = chains.NativeWriter(), np.zeros(shape, np.float32)
    register = writer.input(a) * writer.input(b) + writer.input(c)
    runner([writer.call([(register, y)])])()
    np.testing.assert_array_equal(y, a * b + c)


# --- calls that are used again ---------------------------------------------------------------------


@pytest.mark.parametrize(**by_label(SERVED))
def test_a_call_used_again_takes_other_arrays(case):
    rule = partial(chains.entrywise, case.name) if case.name in numpy_compiled.ENTRYWISE else kernels.RULES[case.name]
    remembered, rng = Remembered(), np.random.default_rng(5)
    first = case.draw(np.float32)
    if remembered.run(case.primitive, rule, tuple(first), dict(case.settings)) is None:
        pytest.skip("left to NumPy")
    other = [np.array(rng.permuted(a.ravel()).reshape(a.shape)) if a.dtype == np.float32 else a.copy() for a in first]
    got = remembered.run(case.primitive, rule, tuple(other), dict(case.settings))
    wanted = Remembered().run(case.primitive, rule, tuple(other), dict(case.settings))
    for g, w in zip(*(v if type(v) is tuple else (v,) for v in (got, wanted)), strict=True):
        np.testing.assert_array_equal(g, w)


def test_one_array_twice_is_not_remembered_as_two():
    remembered, rule = Remembered(), kernels.RULES["matmul"]
    x, y = (np.random.default_rng(s).standard_normal((20, 20)).astype(np.float32) for s in (0, 1))
    np.testing.assert_allclose(remembered.run(matmul_, rule, (x, x), {}), x @ x, rtol=RELATIVE, atol=1e-5)
    np.testing.assert_allclose(remembered.run(matmul_, rule, (x, y), {}), x @ y, rtol=RELATIVE, atol=1e-5)
    np.testing.assert_allclose(remembered.run(matmul_, rule, (y, x), {}), y @ x, rtol=RELATIVE, atol=1e-5)


def test_repeated_numbers_are_told_apart():
    remembered, condition = Remembered(), np.arange(20) % 2 == 0
    x = np.ones(20, np.float32)
    for number in (0.0, 1.0, 3.0):
        repeated = np.broadcast_to(np.float32(number), (20,))
        got = remembered.run(choose, partial(chains.entrywise, "choose"), (x, repeated, condition), {})
        np.testing.assert_array_equal(got, np.where(condition, x, repeated))


def test_no_more_than_so_many_calls_are_remembered(monkeypatch):
    monkeypatch.setattr("chainrule.backends.native.again.MOST", 3)
    remembered = Remembered()
    for n in range(2, 12):
        x = np.ones((n, n), np.float32)
        np.testing.assert_array_equal(remembered.run(matmul_, kernels.RULES["matmul"], (x, x.copy()), {}), x @ x)
        assert len(remembered.calls) <= 3


def test_threads_remember_apart():
    x = [np.random.default_rng(s).standard_normal((64, 64)).astype(np.float32) for s in range(8)]
    remembered, rule = Remembered(), kernels.RULES["matmul"]

    def work(a):
        return [remembered.run(matmul_, rule, (a, b), {}) for b in x for _ in range(20)]

    with ThreadPoolExecutor(4) as crew:
        for a, products in zip(x, crew.map(work, x), strict=True):
            for k, product in enumerate(products):
                np.testing.assert_allclose(product, a @ x[k // 20], rtol=1e-3, atol=1e-4)


# --- rows copied by number -------------------------------------------------------------------------------


def begun(table, rows, place):
    """Begin to copy rows."""
    table.expect(place, rows)
    call = table.begin()
    call.words[[ROWS, NUMBERS, PLACE]] = len(rows), rows.ctypes.data, place.ctypes.data
    call.run()


def ended(table, rows, place):
    """See that they are there."""
    call = table.end(len(rows))
    call.words[[NUMBERS, PLACE]] = rows.ctypes.data, place.ctypes.data
    call.run()
    return place


@pytest.mark.parametrize("shape", [(1,), (7,), (3, 5), (3000,), (33, 129)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_rows_copied_ahead_are_the_rows(shape, dtype, crew):
    rng = np.random.default_rng(3)
    x = rng.integers(0, 200, (50, *shape)).astype(dtype)
    table, place = RowsAhead(x), np.zeros((20, *shape), dtype)
    work = np.ones((200, 200), np.float32)
    for _ in range(5):
        rows = rng.integers(0, 50, 20)
        begun(table, rows, place)
        expected, rows[:] = x[rows], 0  # the numbers may be forgotten then
        kernels.RULES["matmul"](work, work, np.empty_like(work)).run()  # in whose gaps they are copied
        np.testing.assert_array_equal(ended(table, rows, place), expected)
        rows = rng.integers(0, 50, 20)
        np.testing.assert_array_equal(ended(table, rows, place), x[rows])  # without a beginning


def test_what_was_begun_by_others_or_given_up_is_not_taken_for_the_rows():
    x = np.arange(12.0).reshape(6, 2)
    first, second, rows, others = RowsAhead(x), RowsAhead(x), np.array([5, 0]), np.array([1, 2])
    a, b = np.zeros((2, 2)), np.zeros((2, 2))
    assert not first.expects(a, rows)
    begun(first, rows, a)
    begun(second, others, b)  # one at a time: this one is not
    np.testing.assert_array_equal(ended(second, others, b), x[others])
    assert first.expects(a, rows)
    assert not first.expects(a, rows.copy())
    first.give_up()
    assert not first.expects(a, rows)
    np.testing.assert_array_equal(ended(first, others, a), x[others])
    begun(second, others, b)
    del second  # gives up what it had begun
    begun(first, rows, a)
    np.testing.assert_array_equal(ended(first, rows, a), x[rows])


def test_what_is_a_table():
    x = np.zeros((6, 2))
    assert is_table(x)
    assert not any(map(is_table, (x.T, x[:0], x[:, :0], x.astype(object))))


@pytest.mark.parametrize("part", [np.s_[::3], np.s_[::-1], np.s_[:, 2:], np.s_[::2, 1], np.s_[:, 3]])
def test_rows_of_a_part_of_a_table(part):
    """Rows need not follow one another, as long as each lies together."""
    x = np.arange(20000.0).reshape(400, 50)[part]
    assert is_table(x)
    rows = np.array([7, 0, 132, 7])
    place = np.zeros((4, *x.shape[1:]))
    np.testing.assert_array_equal(ended(RowsAhead(x), rows, place), x[rows])
    begun(table := RowsAhead(x), rows, place)
    np.testing.assert_array_equal(ended(table, rows, place), x[rows])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_rows_are_copied_anew_after_fork():
    x, rows, place = np.arange(12.0).reshape(6, 2), np.array([5, 0]), np.zeros((2, 2))
    table = RowsAhead(x)
    begun(table, rows, place)
    kernels.RULES["matmul"](*np.ones((3, 200, 200), np.float32)).run()  # starts the threads, which fork() ends
    child = os.fork()
    if not child:
        place[:] = 0  # what the parent has copied so far
        whole = np.array_equal(ended(table, rows, place), x[rows])
        begun(table, rows, place)
        os._exit(0 if whole and np.array_equal(ended(table, rows, place), x[rows]) else 1)
    assert os.waitpid(child, 0)[1] == 0
    np.testing.assert_array_equal(ended(table, rows, place), x[rows])


def test_a_series_puts_its_words_before_each_time_and_ends_where_it_is_told_to():
    numbers, kept, stop = np.array([1.0, 2.0, np.inf, 4.0], np.float32), np.zeros(4, np.float32), np.zeros(1, np.int64)
    call = NativeCall("keep", numbers, kept, stop)
    series = Series([call], [(call.words, 0), (call.words, 1)], 4, stop)
    series.values[:] = np.array([numbers.ctypes.data, kept.ctypes.data]) + 4 * np.arange(4)[:, None]
    assert series.run(1, 1) == 1
    np.testing.assert_array_equal(kept, [0, 2, 0, 0])
    assert series.run(0, 4) == 3
    np.testing.assert_array_equal(kept, [1, 2, np.inf, 0])
    assert series.run(3, 1) == 1  # the mark of the last time is gone
    np.testing.assert_array_equal(kept, numbers)


@pytest.mark.parametrize("classes", [1, 2, 10])
def test_hits_are_the_predictions_at_their_label(classes):
    rng = np.random.default_rng(4)
    z = np.round(rng.standard_normal((200, classes)), 1).astype(np.float32)  # with ties, and zeros
    z[rng.random(z.shape) < 0.1] = np.nan
    labels, count = rng.integers(-1 if classes == 1 else 0, max(classes, 2), 200), np.zeros(1, np.int64)
    NativeCall("hits", 200, classes, z, labels, count).run()
    assert count[0] == correct(z, labels) > 0
