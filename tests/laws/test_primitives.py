"""What every primitive obeys."""

import importlib
import pkgutil

import numpy as np
import pytest

import chainrule as cr
from tests.laws.domains import CASES, DOMAINS
from tests.laws.entries import by_label, results
from tests.laws.measures import ADJOINT_TOLERANCE, DIFFERENCE_TOLERANCE, derivative_of, gaps

EQUAL = 1e-14  # the same arithmetic in another order of memory: the last digit may differ
SMOOTH = [case for case in CASES if case.primitive.is_differentiable]
FLAT = [case for case in CASES if not case.primitive.is_differentiable and case.active]
NAMES = sorted(DOMAINS)
CHANGES_DTYPE = {name for name in NAMES if cr.PRIMITIVES[name]._dtype}


def test_every_primitive_stands_in_the_table():
    for module in pkgutil.walk_packages(cr.__path__, "chainrule."):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError as error:
                if error.name not in ("torch", "jax", "jaxlib"):  # extras
                    raise
    assert set(cr.PRIMITIVES) == set(DOMAINS)


def assert_laws(f, point):
    found = gaps(f, point)
    assert found["adjoint"] <= ADJOINT_TOLERANCE
    assert max(found["forward"], found["reverse"]) <= DIFFERENCE_TOLERANCE, found


@pytest.mark.parametrize(**by_label(SMOOTH))
def test_both_modes_agree_with_each_other_and_with_differences(case):
    assert_laws(*case.function(case.draw()))


@pytest.mark.parametrize(**by_label(SMOOTH))
def test_the_derivative_obeys_the_laws_again(case):
    f, point = case.function(case.draw())
    assert_laws(derivative_of(f, point), point)


@pytest.mark.parametrize("name", [n for n in NAMES if cr.PRIMITIVES[n].is_differentiable])
def test_check_gradients_agrees_to_order_2(name):
    case = next(c for c in CASES if c.name == name)
    f, point = case.function(case.draw())
    assert cr.check_gradients(f, *point, order=2)


@pytest.mark.parametrize(**by_label(FLAT))
def test_a_primitive_without_a_derivative_gives_constants(case):
    f, point = case.function(case.draw())
    y, pull = cr.vjp(f, *point)
    assert not any(bar.any() for bar in pull(tuple(np.ones(v.shape) for v in y)))
    assert not cr.jvp(f, tuple(point), tuple(map(np.ones_like, point)))[1][0].any()
    assert not case.primitive(*map(eager, case.draw()), **case.settings).requires_grad


def eager(array):
    return cr.tensor(array, requires_grad=array.dtype.kind == "f")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(**by_label(CASES))
def test_shape_and_dtype_are_known_before_the_value(case, dtype):
    args = case.draw(dtype)
    y = case.primitive(*args, **case.settings)
    specs = results(case.primitive.spec(*args, **case.settings))
    assert specs == tuple(cr.Spec(v.shape, v.dtype) for v in results(y))
    on_tensors = results(case.primitive(*map(eager, args), **case.settings))
    assert specs == tuple(cr.Spec(v.shape, v.dtype) for v in on_tensors)


@pytest.mark.parametrize(**by_label([c for c in CASES if c.name not in CHANGES_DTYPE]))
def test_float32_stays_float32_in_values_and_derivatives(case):
    f, point = case.function(case.draw(np.float32))
    y, pull = cr.vjp(f, *point)
    bars = pull(tuple(np.ones_like(v) for v in y))
    dots = cr.jvp(f, tuple(point), tuple(map(np.ones_like, point)))[1]
    assert {a.dtype for a in (*y, *bars, *dots)} == {np.dtype(np.float32)}
    assert [b.shape for b in bars] == [p.shape for p in point]


@pytest.mark.parametrize(**by_label(CASES))
def test_the_cost_is_a_number_not_below_zero(case):
    args = case.draw()
    assert case.primitive.flops(*args, **case.settings) >= 0
    assert case.primitive.bytes(*args, **case.settings) >= sum(a.nbytes for a in args)


@pytest.mark.parametrize("name", NAMES)
def test_the_formula_has_a_value_and_a_derivative_for_each_argument(name):
    primitive = cr.PRIMITIVES[name]
    assert len(primitive.latex) == 1 + len(DOMAINS[name].active)
    assert all(text and text.count("{") == text.count("}") and "=" in text for text in primitive.latex)


@pytest.mark.parametrize("name", NAMES)
def test_a_primitive_says_what_it_is(name):
    primitive = cr.PRIMITIVES[name]
    assert primitive.__doc__
    assert repr(primitive) == f"<{primitive.family} primitive {name}>"


# --- kernels --------------------------------------------------------------------------------------


def kernels(case):
    """The kernel used for NumPy arrays, and the generic one where it is another and NumPy can run it."""
    args = case.draw()
    used = case.primitive.kernel_for(np.ndarray, args[0])
    generic = [] if case.primitive.kernel is used or case.name in ("erf", "erfc") else [case.primitive.kernel]
    return [used, *generic]


def as_asked(spec, outs):
    """One array for one result, a tuple of them for several."""
    return outs if isinstance(spec, tuple) else outs[0]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(**by_label(CASES))
def test_a_result_lands_in_out(case, dtype):
    args = case.draw(dtype)
    spec = case.primitive.spec(*args, **case.settings)
    for kernel in kernels(case):
        outs = tuple(np.full(s.shape, 77, s.dtype) for s in results(spec))
        wanted = results(kernel(*args, **case.settings))
        given = results(kernel(*args, **case.settings, out=as_asked(spec, outs)))
        for place, landed, value in zip(outs, given, wanted, strict=True):
            assert landed is place
            np.testing.assert_array_equal(place, value)
            assert not any(np.shares_memory(place, a) for a in args)


@pytest.mark.parametrize(**by_label([c for c in CASES if c.primitive.family == "elementwise"]))
def test_out_may_be_an_argument_of_an_elementwise_kernel(case):
    args = case.draw()
    for kernel in kernels(case):
        wanted = kernel(*args, **case.settings)
        for i, a in enumerate(args):
            if wanted.dtype == a.dtype:
                fresh = [b.copy() for b in args]
                np.testing.assert_array_equal(kernel(*fresh, **case.settings, out=fresh[i]), wanted)


def strided(a):
    """The same numbers, every second along each axis and from behind."""
    view = np.zeros([2 * n for n in a.shape], a.dtype)[(..., *(slice(None, None, -2) for _ in a.shape))]
    view[...] = a
    return view


def by_columns(a):
    return np.array(a, order="F")


@pytest.mark.parametrize("layout", [strided, by_columns])
@pytest.mark.parametrize(**by_label(CASES))
def test_the_layout_in_memory_does_not_matter(case, layout):
    args = case.draw()
    wanted = results(case.primitive(*args, **case.settings))
    spec = case.primitive.spec(*args, **case.settings)
    outs = tuple(layout(np.zeros(s.shape, s.dtype)) for s in results(spec))
    kernels(case)[0](*args, **case.settings, out=as_asked(spec, outs))
    got = results(case.primitive(*map(layout, args), **case.settings))
    for value, landed, place in zip(wanted, got, outs, strict=True):
        np.testing.assert_allclose(landed, value, rtol=EQUAL, atol=EQUAL)
        np.testing.assert_allclose(place, value, rtol=EQUAL, atol=EQUAL)


@pytest.mark.parametrize(**by_label(SMOOTH))
def test_nothing_that_comes_in_is_written_to(case):
    """Writing into a read-only array raises."""
    args = case.draw()
    for a in args:
        a.flags.writeable = False
    f, point = case.function(args)
    y, pull = cr.vjp(f, *point)
    bars = tuple(np.ones_like(v) for v in y)
    for a in (*y, *bars):
        a.flags.writeable = False
    first = pull(bars)
    np.testing.assert_array_equal(
        np.concatenate([b.ravel() for b in first]), np.concatenate([b.ravel() for b in pull(bars)])
    )
    cr.jvp(f, tuple(point), tuple(p.copy() for p in point))
