"""The laws have teeth: a facet that is wrong by 0.1 %, or wrong at all, is caught for every primitive."""

import inspect

import numpy as np
import pytest
from hypothesis import Phase

import chainrule as cr
from chainrule.backends import place_named
from chainrule.core import families, fused
from chainrule.core.primitive import Primitive
from tests.laws import domains_attention, domains_vocabulary, test_workspace
from tests.laws.domains import DOMAINS
from tests.laws.laws import ALL, LAWS
from tests.laws.test_laws import hold, place_of

WRONG = 1.001
NAMES = sorted(DOMAINS)
SMOOTH = [name for name in NAMES if cr.PRIMITIVES[name].is_differentiable]
SLOTS = [(name, i) for name in SMOOTH for i in DOMAINS[name].active]
FLAT = [name for name in NAMES if name not in SMOOTH and DOMAINS[name].active]

KEEP_SHAPE = (
    {"softmax", "log_softmax", "standardise_back"} | domains_vocabulary.KEEP_SHAPE | domains_attention.KEEP_SHAPE
)  # their rule only refuses

FACETS = {
    "adjoint": "test_a_wrong_cotangent_is_caught",
    "adjoints": "test_a_wrong_cotangent_is_caught",
    "backward": "test_a_wrong_cotangent_is_caught",
    "batching": "test_a_wrong_batching_rule_is_caught",
    "composed": "test_a_wrong_composition_is_caught",
    "cost": "test_a_wrong_cost_is_caught",
    "dtype": "test_a_wrong_dtype_rule_is_caught",
    "formula": "test_a_missing_formula_is_caught",
    "jvp": "test_a_wrong_tangent_is_caught",
    "partials": "test_a_wrong_partial_is_caught_though_both_modes_agree",
    "shape": "test_a_wrong_shape_rule_is_caught",
    "vjps": "test_a_wrong_cotangent_is_caught",
    "workspace": "test_a_wrong_workspace_is_caught",
}
"""The facets that a primitive states, and the test that mutates each (that of the workspace stands beside its law)."""


def wrong(y):
    """A result that is off by 0.1 %, or by one, or the opposite."""
    if isinstance(y, tuple):
        return tuple(map(wrong, y))
    kind = cr.backends.kind_of(y)
    return y == 0 if kind == "b" else y + 1 if kind in "iu" else y * WRONG


def caught(law, name, backend="numpy"):
    """Whether a law is broken at one of its calls."""
    try:
        hold(LAWS[law], name, backend, phases=[Phase.generate])
    except Exception:
        return True
    return False


def test_every_facet_has_a_mutation():
    kinds = [Primitive, *vars(families).values(), fused.Fused]
    kinds = [kind for kind in kinds if inspect.isclass(kind) and issubclass(kind, Primitive)]
    stated = {name for kind in kinds for name, rule in vars(kind).items() if (rule.__doc__ or "").startswith("State ")}
    assert stated == set(FACETS)
    assert set(FACETS.values()) <= {*globals(), *vars(test_workspace)}


# --- values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ALL[:2])
@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_kernel_is_caught(monkeypatch, backend, name):
    spoil_kernel(monkeypatch, name, place_of(backend), scaled)
    assert caught("value", name, backend)


def scaled(kernel, *args, **settings):
    return wrong(kernel(*args, **settings))


def spoil_kernel(monkeypatch, name, place, spoilt):
    primitive, example = cr.PRIMITIVES[name], place.array(np.zeros(1))
    right = primitive.kernel_for(type(example), example)
    monkeypatch.setitem(primitive._kernels, type(example), lambda *a, **s: spoilt(right, *a, **s))
    monkeypatch.setattr(primitive, "kernel_for", lambda kind, example: primitive._kernels[kind])


def test_a_wrong_kernel_of_jax_is_caught(monkeypatch):
    """Compiled for one shape each: the kernels that JAX has of its own, as far as they are quickly compiled."""
    place = place_of("jax")
    for name in ("sigmoid", "pick", "top_positions", "det"):
        with monkeypatch.context() as patch:
            spoil_kernel(patch, name, place, scaled)
            assert caught("value", name, "jax"), name


@pytest.mark.parametrize("name", NAMES)
def test_a_kernel_that_forgets_its_out_is_caught(monkeypatch, name):
    forgets = lambda kernel, *args, out=None, **settings: kernel(*args, **settings)  # noqa: E731
    spoil_kernel(monkeypatch, name, place_named("numpy"), forgets)
    assert caught("out", name)


def as_in_memory(a):
    """The entries in the order of memory, whatever their layout says."""
    forwards = a[tuple(slice(None, None, -1 if step < 0 else 1) for step in a.strides)]
    return np.array(forwards.ravel("K").reshape(a.shape))


@pytest.mark.parametrize("name", NAMES)
def test_a_kernel_that_takes_memory_for_rows_is_caught(monkeypatch, name):
    takes_memory = lambda kernel, *args, **settings: kernel(*map(as_in_memory, args), **settings)  # noqa: E731
    spoil_kernel(monkeypatch, name, place_named("numpy"), takes_memory)
    assert caught("layout", name)


def writing(kernel, *args, **settings):
    y = kernel(*args, **settings)
    args[0][...] = 0
    return y


@pytest.mark.parametrize("name", [n for n in NAMES if n not in LAWS["untouched"].excused])
def test_a_kernel_that_writes_into_its_argument_is_caught(monkeypatch, name):
    spoil_kernel(monkeypatch, name, place_named("numpy"), writing)
    assert caught("untouched", name)


# --- derivatives ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "slot"), SLOTS)
def test_a_wrong_cotangent_is_caught(monkeypatch, name, slot):
    spoil_pull(monkeypatch, cr.PRIMITIVES[name], slots=(slot,))
    assert caught("adjoint", name)


def spoil_pull(monkeypatch, primitive, slots):
    right = primitive.pull

    def pull(*args):
        for i, bar in enumerate(right(*args)):
            yield bar * WRONG if i in slots and bar is not None else bar

    monkeypatch.setattr(primitive, "pull", pull)


def spoil_push(monkeypatch, primitive):
    right = primitive.push
    monkeypatch.setattr(primitive, "push", lambda *args: wrong(right(*args)))


@pytest.mark.parametrize("name", SMOOTH)
def test_a_wrong_tangent_is_caught(monkeypatch, name):
    spoil_push(monkeypatch, cr.PRIMITIVES[name])
    assert caught("adjoint", name)


@pytest.mark.parametrize("name", SMOOTH)
def test_two_modes_that_are_wrong_alike_are_caught(monkeypatch, name):
    spoil_push(monkeypatch, cr.PRIMITIVES[name])
    spoil_pull(monkeypatch, cr.PRIMITIVES[name], slots=range(99))
    assert not caught("adjoint", name)
    assert caught("differences", name)


@pytest.mark.parametrize(("name", "slot"), [s for s in SLOTS if cr.PRIMITIVES[s[0]].family == "elementwise"])
def test_a_wrong_partial_is_caught_though_both_modes_agree(monkeypatch, name, slot):
    primitive = cr.PRIMITIVES[name]
    rules = list(primitive._partials)
    right = rules[slot]
    rules[slot] = lambda *args, **settings: right(*args, **settings) * WRONG
    monkeypatch.setattr(primitive, "_partials", tuple(rules))
    assert caught("differences", name)


@pytest.mark.parametrize("name", [n for n in NAMES if isinstance(cr.PRIMITIVES[n], fused.Fused)])
def test_a_wrong_composition_is_caught(monkeypatch, name):
    primitive = cr.PRIMITIVES[name]
    right = primitive.composition
    monkeypatch.setattr(primitive, "composition", lambda *args, **settings: wrong(right(*args, **settings)))
    assert caught("differences", name)


@pytest.mark.parametrize("name", FLAT)
def test_a_derivative_where_there_is_none_is_caught(monkeypatch, name):
    primitive = cr.PRIMITIVES[name]
    ones = lambda *args, **settings: np.ones(args[-1].shape)  # noqa: E731 - args: of the value, then of the arguments
    rules = tuple(ones for _ in DOMAINS[name].active)
    monkeypatch.setattr(primitive, "_partials" if primitive.family == "elementwise" else "_vjps", rules)
    assert caught("zero", name)


# --- what is stated beside --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_batching_rule_is_caught(monkeypatch, name):
    primitive = cr.PRIMITIVES[name]
    right = primitive.batch
    monkeypatch.setattr(primitive, "batch", lambda *args: wrong(right(*args)))
    assert caught("batching", name)


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_shape_rule_is_caught(monkeypatch, name):
    primitive = cr.PRIMITIVES[name]
    right = primitive._shape or (lambda *specs, **settings: specs[0].shape)

    def longer(*specs, **settings):
        shape = right(*specs, **settings)
        return [(*s, 1) for s in shape] if isinstance(shape, list) else (*shape, 1)

    monkeypatch.setattr(primitive, "_shape", longer)
    assert caught("shape", name)


@pytest.mark.parametrize("name", [n for n in NAMES if cr.PRIMITIVES[n]._shape and n not in KEEP_SHAPE])
def test_a_forgotten_shape_rule_is_caught(monkeypatch, name):
    monkeypatch.setattr(cr.PRIMITIVES[name], "_shape", None)
    assert caught("shape", name)


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_dtype_rule_is_caught(monkeypatch, name):
    monkeypatch.setattr(cr.PRIMITIVES[name], "_dtype", lambda *specs, **settings: np.dtype(np.int8))
    assert caught("shape", name)


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_cost_is_caught(monkeypatch, name):
    primitive = cr.PRIMITIVES[name]
    right = primitive._flops
    monkeypatch.setattr(primitive, "_flops", lambda *args, **settings: WRONG * right(*args, **settings) or 1)
    assert caught("cost", name)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_formula_is_caught(monkeypatch, name):
    primitive = cr.PRIMITIVES[name]
    for latex in (primitive.latex[:-1], ("", *primitive.latex[1:]), (primitive.latex[0] + "{", *primitive.latex[1:])):
        monkeypatch.setattr(primitive, "latex", latex)
        assert caught("formula", name)
