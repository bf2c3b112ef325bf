"""The laws that every primitive obeys on every backend, one function each: it raises where its law is broken.

A law says on which backends and with which dtypes it has a meaning, and which primitives it excuses, with the reason.
All that is left are cells (law, backend, primitive), and `test_laws` runs every one of them.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product

import numpy as np

import chainrule as cr
from chainrule.backends import backend_of
from chainrule.core.spec import spec_of
from chainrule.ops.inventory import LAWS_FILE
from tests.laws.costs import cost_of
from tests.laws.domains import DOMAINS
from tests.laws.entries import results
from tests.laws.references import value_of

ALL = ("numpy", "torch", "jax")
BOTH = (np.float64, np.float32)

EXACT = {np.float64: 1e-10, np.float32: 1e-4}
"""Equal in real numbers: rounding over a few dozen entries is left, times the condition of the drawn matrices."""

NEAR = {np.float64: 1e-11, np.float32: 1e-4}
"""The same function by another expression: other approximations of exp and the like, other sums."""

SAME = {np.float64: 1e-13, np.float32: 2e-5}
"""The same arithmetic in another order: the last digits may differ."""

DIFFERENCE = 1e-6
"""h² · f‴/6 + ε/h ≈ 1e-9 in the domains drawn; a rule wrong by 0.1 % stands a thousand times above."""

STEP = 6e-6
"""Cube root of float64's rounding unit: where the two errors of a central difference balance."""

SIZE = 2
"""Examples of a batch: enough to tell them apart."""


@dataclass(frozen=True)
class Law:
    """A law, where it is asked for, and why not elsewhere."""

    name: str
    holds: Callable
    backends: tuple
    dtypes: tuple
    reasons: tuple
    excused: dict = field(default_factory=dict)


LAWS: dict[str, Law] = {}
FLAT = {name: "its derivative is 0: law zero" for name in DOMAINS if not cr.PRIMITIVES[name].is_differentiable}
SMOOTH = {name: "it has a derivative: law adjoint" for name in DOMAINS if name not in FLAT}
COUPLED = {n: "its entries are coupled" for n in DOMAINS if cr.PRIMITIVES[n].family != "elementwise"}
ON_HOST = {"draw": "its streams are those of NumPy, on the host"}
OF_WHOLE = {"draw": "its arguments are whole numbers"}
ONE_DTYPE = ("float32: too few digits for a quotient of differences",)
JAX_ONCE = ("jax, float32: it compiles everything anew, so values and shapes alone are asked",)
STATED = ("torch, jax: it is a statement about shapes, not about arrays",)


def law(backends=ALL, dtypes=BOTH, reasons=(), excused=None):
    """Enter a function of (case, place, dtype) into the table of laws."""

    def enter(holds):
        name = holds.__name__.replace("_", "-")
        LAWS[name] = Law(name, holds, backends, dtypes, reasons, excused or {})
        return holds

    return enter


def dtypes_of(law, backend):
    """The dtypes that a law is asked for on a backend; see JAX_ONCE."""
    return BOTH[:1] if backend == "jax" and law.name not in ("value", "shape") else law.dtypes


def cells():
    """All (law, backend, primitive) that are asked for."""
    return [
        (law.name, backend, name)
        for law in LAWS.values()
        for backend in law.backends
        for name in sorted(DOMAINS)
        if name not in law.excused
    ]


# --- what laws are made of --------------------------------------------------------------------------------


def there(place, arrays):
    return [place.array(a) for a in arrays]


def host(array):
    array = getattr(array, "data", array) if isinstance(array, cr.Tensor) else array
    return np.asarray(backend_of(array).to_numpy(array))


def close(found, wanted, tolerance):
    """Equal up to a share of the largest entry; the same shape."""
    found, wanted = host(found), np.asarray(wanted)
    assert found.shape == wanted.shape, (found.shape, wanted.shape)
    if wanted.dtype.kind != "f":
        np.testing.assert_array_equal(found, wanted)
        return
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance * np.abs(wanted).max(initial=1.0))


def all_close(found, wanted, tolerance):
    for f, w in zip(results(found), results(wanted), strict=True):
        close(f, w, tolerance)


def normal(seed, like, place):
    """Drawn numbers in the shapes and dtypes of arrays."""
    stream = np.random.default_rng(seed)
    return tuple(place.array(np.asarray(stream.standard_normal(s.shape), s.dtype)) for s in map(spec_of, like))


def ones(like, place):
    return tuple(place.array(np.ones(s.shape, s.dtype)) for s in map(spec_of, like))


def recorded(a):
    return cr.tensor(a, requires_grad=spec_of(a).dtype.kind == "f")


def inner(a, b):
    return np.concatenate([np.zeros(0), *(host(x).ravel() * host(y).ravel() for x, y in zip(a, b, strict=True))])


def adjoint_holds(f, point, dtype, place):
    """⟨ȳ, Jẋ⟩ = ⟨Jᵀȳ, ẋ⟩ for drawn ȳ and ẋ; what is found keeps dtypes and shapes. Gives ẋ and Jẋ."""
    y, pull = cr.vjp(f, *point)
    bars, dots = normal(7, y, place), normal(8, point, place)
    x_bars, y_dots = pull(bars), cr.jvp(f, tuple(point), dots)[1]
    left, right = inner(bars, y_dots), inner(x_bars, dots)
    scale = max(1.0, np.abs(left).sum(), np.abs(right).sum())
    assert abs(left.sum() - right.sum()) <= EXACT[dtype] * scale, (left.sum(), right.sum())
    for found, like in zip((*x_bars, *y_dots), (*point, *y), strict=True):
        assert (found.shape, found.dtype, backend_of(found)) == (like.shape, like.dtype, place.backend)
    return dots, y_dots


def difference_holds(f, point, dots, y_dots):
    """Jẋ is the central difference quotient along ẋ."""
    up, down = (f(*(p + h * d for p, d in zip(point, dots, strict=True))) for h in (STEP, -STEP))
    for u, d, dot in zip(up, down, y_dots, strict=True):
        close(dot, (host(u) - host(d)) / (2 * STEP), DIFFERENCE)


def bars_of(f, point, place):
    """The function x ↦ Jᵀȳ for a drawn ȳ, whose laws are those of order 2."""
    bars = normal(10, cr.vjp(f, *point)[0], place)
    return lambda *x: cr.vjp(f, *x)[1](bars)


# --- the laws ---------------------------------------------------------------------------------------------


@law()
def value(case, place, dtype):
    """The value is that of another expression, worked out in float64 on the host."""
    args = case.draw(dtype)
    wanted = value_of(case, [a.astype(np.float64) if a.dtype.kind == "f" else a for a in args])
    y = case.primitive(*there(place, args), **case.settings)
    all_close(y, wanted, NEAR[dtype])
    assert all(backend_of(v) is place.backend for v in results(y))


@law()
def shape(case, place, dtype):
    """Shape and dtype are known before the value, for arrays and for what is recorded."""
    args = case.draw(dtype)
    specs = results(case.primitive.spec(*args, **case.settings))
    moved = there(place, args)
    for given in (moved, list(map(recorded, moved))):
        assert specs == tuple(map(spec_of, results(case.primitive(*given, **case.settings))))


@law(excused=FLAT)
def adjoint(case, place, dtype):
    """Forward and reverse mode are adjoint, and keep dtype and shape."""
    f, point = case.function(there(place, case.draw(dtype)))
    adjoint_holds(f, point, dtype, place)


@law(dtypes=BOTH[:1], reasons=ONE_DTYPE, excused=FLAT)
def differences(case, place, dtype):
    """Forward mode is what central differences say."""
    f, point = case.function(there(place, case.draw(dtype)))
    dots = normal(9, point, place)
    difference_holds(f, point, dots, cr.jvp(f, tuple(point), dots)[1])


@law(dtypes=BOTH[:1], reasons=ONE_DTYPE, excused=FLAT)
def order_2(case, place, dtype):
    """The same two laws for the derivative."""
    f, point = case.function(there(place, case.draw(dtype)))
    slope = bars_of(f, point, place)
    difference_holds(slope, point, *adjoint_holds(slope, point, dtype, place))


@law(excused=SMOOTH | OF_WHOLE)
def zero(case, place, dtype):
    """A primitive without a derivative gives constants: nothing comes back, nothing moves, nothing is recorded."""
    args = there(place, case.draw(dtype))
    f, point = case.function(args)
    y, pull = cr.vjp(f, *point)
    dots = cr.jvp(f, tuple(point), ones(point, place))[1]
    assert not any(host(v).any() for v in (*pull(ones(y, place)), *dots))
    assert not any(v.requires_grad for v in results(case.primitive(*map(recorded, args), **case.settings)))


def choices_of_batched(n, place):
    """Which arguments have a batch axis: in NumPy every choice among the first three, elsewhere all, first or last."""
    if place.backend.name != "numpy":
        return sorted({(True,) * n, (True, *[False] * (n - 1)), (*[False] * (n - 1), True)})
    choices = product([True, False], repeat=min(n, 3))
    return [(*flags, *[True] * (n - len(flags))) for flags in choices if any(flags)]


@law()
def batching(case, place, dtype):
    """Many calls at once are what a loop gives, with some arguments batched and with all of them."""
    rounds = [case.draw(dtype, seed=k) for k in range(SIZE)]
    for flags in choices_of_batched(len(case.shapes), place):
        args = [np.stack([r[i] for r in rounds]) if f else rounds[0][i] for i, f in enumerate(flags)]
        axes = tuple(0 if f else None for f in flags)
        got = cr.vmap(lambda *xs: case.primitive(*xs, **case.settings), in_axes=axes)(*there(place, args))
        one = lambda k: [a[k] if f else a for a, f in zip(args, flags, strict=True)]  # noqa: B023, E731
        loop = [results(case.primitive(*there(place, one(k)), **case.settings)) for k in range(SIZE)]
        all_close(got, tuple(np.stack([host(v) for v in parts]) for parts in zip(*loop, strict=True)), SAME[dtype])


@law(backends=ALL[:2], reasons=("jax: its arrays have one layout",))
def layout(case, place, dtype):
    """How arguments and results lie in memory does not matter."""
    args = case.draw(dtype)
    wanted = case.primitive(*there(place, args), **case.settings)
    for form in (every_second, by_columns):
        moved = [form(a, place) for a in args]
        all_close(case.primitive(*moved, **case.settings), tuple(map(host, results(wanted))), SAME[dtype])


def as_it_is(a, place):
    return place.array(a)


def every_second(a, place):
    """The same numbers with gaps between them, in NumPy from behind."""
    step = -2 if place.backend.name == "numpy" else 2
    root = place.array(np.zeros([2 * n for n in a.shape], a.dtype))
    view = root[(..., *(slice(None, None, step) for _ in a.shape))]
    view[...] = place.array(a)
    return view


def by_columns(a, place):
    """The same numbers, the first axis running fastest."""
    return place.backend.xp.transpose(place.array(np.array(np.transpose(a), order="C")), tuple(range(a.ndim))[::-1])


@law(backends=ALL[:2], reasons=("jax: its arrays cannot be written to",), excused=OF_WHOLE)
def untouched(case, place, dtype):
    """Nothing that comes in is written to: neither arguments nor cotangents."""
    args = there(place, case.draw(dtype))
    protect(args, place)
    f, point = case.function(args)
    y, pull = cr.vjp(f, *point)
    bars = ones(y, place)
    protect((*bars, *y), place)
    before = [host(a).copy() for a in (*args, *bars, *y)]
    first = list(map(host, pull(bars)))
    cr.jvp(f, tuple(point), ones(point, place))
    for a, b in zip(pull(bars), first, strict=True):
        np.testing.assert_array_equal(host(a), b)
    for a, b in zip((*args, *bars, *y), before, strict=True):
        np.testing.assert_array_equal(host(a), b)


def protect(arrays, place):
    """Writing to them raises, where arrays know how to refuse."""
    for a in arrays if place.backend.name == "numpy" else ():
        a.flags.writeable = False


def kernels(case, args, place):
    """The kernel that is used, and where NumPy has another one, also the generic one."""
    used = case.primitive.kernel_for(type(args[0]), args[0])
    theirs = place.backend.name != "numpy" or case.name in ("erf", "erfc")  # NumPy has no error function
    return [used] if theirs or case.primitive.kernel is used else [used, case.primitive.kernel]


@law(backends=ALL[:2], reasons=("jax: its arrays cannot be written to",))
def out(case, place, dtype):
    """A result lands in `out`, which a kernel fills and gives back, and shares no memory with arguments."""
    args = there(place, case.draw(dtype))
    spec = case.primitive.spec(*args, **case.settings)
    for kernel in kernels(case, args, place):
        for form in (as_it_is, every_second, by_columns):
            outs = tuple(form(np.full(s.shape, 77).astype(s.dtype), place) for s in results(spec))
            wanted = results(kernel(*args, **case.settings))
            given = results(kernel(*args, **case.settings, out=outs if isinstance(spec, tuple) else outs[0]))
            for landing, landed, v in zip(outs, given, wanted, strict=True):
                assert landed is landing
                close(landing, host(v), 0 if form is as_it_is else SAME[dtype])
                assert not any(np.shares_memory(host(landing), host(a)) for a in args)


@law(backends=ALL[:2], reasons=("jax: its arrays cannot be written to",), excused=COUPLED)
def overwriting(case, place, dtype):
    """The `out` of an elementwise kernel may be one of its arguments."""
    args = there(place, case.draw(dtype))
    for kernel in kernels(case, args, place):
        wanted = kernel(*args, **case.settings)
        for i, a in enumerate(args):
            if a.dtype == wanted.dtype:
                fresh = there(place, [np.array(host(b)) for b in args])
                close(kernel(*fresh, **case.settings, out=fresh[i]), host(wanted), 0)
                close(fresh[i], host(wanted), 0)


@law(backends=ALL[2:], reasons=("numpy, torch: jax alone has a compiler of its own",), excused=ON_HOST)
def compiled(case, place, dtype):
    """The library's compiler takes it, and it gives the same."""
    args = case.draw(dtype)
    wanted = case.primitive(*args, **case.settings)
    run = place.backend.jit(lambda *xs: case.primitive(*xs, **case.settings))
    all_close(run(*there(place, args)), wanted, NEAR[dtype])


@law(backends=ALL[:1], reasons=STATED)
def cost(case, place, dtype):
    """The operations are those counted another way; the bytes are those of arguments and results."""
    args = case.draw(dtype)
    y = case.primitive(*args, **case.settings)
    np.testing.assert_allclose(case.primitive.flops(*args, **case.settings), cost_of(case, y, args), rtol=1e-12)
    assert case.primitive.bytes(*args, **case.settings) == sum(a.nbytes for a in (*args, *results(y)))


@law(backends=ALL[:1], reasons=STATED)
def formula(case, place, dtype):
    """There is a formula of the value and one of the derivative for each argument that has one."""
    latex = case.primitive.latex
    assert len(latex) == 1 + len(DOMAINS[case.name].active)
    assert all(text and text.count("{") == text.count("}") and "=" in text for text in latex)


# --- what was asked, for the inventory --------------------------------------------------------------------


def table():
    """What `chainrule/ops/laws.json` says: each law with its places and its reasons, each primitive with its laws."""
    asked = {(law, name) for law, _, name in cells()}
    laws = {name: said_of(law) for name, law in LAWS.items()}
    primitives = {name: " ".join(law for law in LAWS if (law, name) in asked) for name in sorted(DOMAINS)}
    return {"laws": laws, "primitives": primitives}


def said_of(law):
    dtypes = {backend: dtypes_of(law, backend) for backend in law.backends}
    excused = dict.fromkeys(law.excused.values(), "")
    return {
        "states": law.holds.__doc__.split("\n")[0],
        "asked": {backend: " ".join(np.dtype(d).name for d in ds) for backend, ds in dtypes.items()},
        "reasons": [*law.reasons, *(JAX_ONCE if dtypes.get("jax", law.dtypes) != law.dtypes else ())],
        "excused": {reason: " ".join(n for n in law.excused if law.excused[n] == reason) for reason in excused},
    }


def written():
    """The table as the text of its file."""
    return json.dumps(table(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    LAWS_FILE.write_text(written(), encoding="utf-8")
