"""Every compiled kernel is its twin in NumPy, to rounding, on one thread and on several, and takes NaN as it comes."""

import ctypes

import numpy as np
import pytest

import chainrule as cr
from chainrule.backends.native import chains, kernels
from chainrule.backends.native.calls import runner
from chainrule.backends.native.library import loaded, threads
from tests.laws.domains import CASES, Case, by_label, results

pytestmark = pytest.mark.skipif(loaded() is None, reason="no compiled kernels: no compiler, or CHAINRULE_NATIVE=0")

RELATIVE, ABSOLUTE = 3e-5, 3e-6  # float32: sums in another order, exponentials to 3 units in the last place

LARGE = {
    "add_at": [(((70, 33), (70,)), {"shape": (3, 33)})],
    "attention": [
        (((2, 3, 130, 16), (2, 3, 130, 16), (2, 3, 130, 8)), {"scale": 0.25, "band": (None, 0), "block": 64}),
        (((2, 70, 8), (2, 90, 8), (2, 90, 8)), {"scale": 0.3, "band": (-20, 30), "block": 64}),
    ],
    "matmul": [(((150, 70), (70, 90)), {}), (((3, 40, 30), (3, 30, 50)), {})],
    "mean": [(((40, 50, 60),), {"axis": (1,)}), (((300, 200),), {"axis": (0,)})],
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


def cases():
    entries = {c.name: c.entries for c in CASES}
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
        np.testing.assert_allclose(got, value, rtol=RELATIVE, atol=ABSOLUTE)


@pytest.mark.parametrize("name", kernels.RULES)
def test_every_rule_serves_some_case(name):
    served = [c for c in cases() if c.name == name and _serves(c)]
    assert len(served) > 1


def _serves(case):
    args = case.draw(np.float32)
    outs = [np.empty(s.shape, s.dtype) for s in results(case.primitive.spec(*args, **case.settings))]
    return kernels.RULES[case.name](*args, *outs, **case.settings) is not None


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
