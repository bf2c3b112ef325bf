"""A checkpointed function has the values and derivatives of the function, to any order, and keeps less alive."""

import copy
import itertools
import tracemalloc

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn

ROUNDING = 1e-13  # the same sums in another order

X = np.random.default_rng(0).standard_normal(4)
W = np.random.default_rng(1).standard_normal((4, 4))


def direct(x):
    return cr.sum(cr.sin(x * x) * cr.tanh(x))


def with_transformations(c):
    """Transformations inside take tensors from outside along in ways that no operation shows."""
    inner = cr.vmap(cr.grad(lambda u: cr.sum(cr.sin(u * c))))(cr.stack([c, c * 2]))
    return cr.sum(inner**2) + cr.sum(cr.jvp(cr.cos, (c,), (c,))[1])


FUNCTIONS = {
    "direct": (direct, cr.checkpoint(direct)),
    "over a product": (lambda x: direct(x @ W), lambda x: direct(cr.checkpoint(lambda v: v @ W)(x))),
    "handed through": (lambda x: cr.sum(x * x), lambda x: cr.sum(cr.checkpoint(lambda v: v)(x) * x)),
    "from outside": (lambda x: cr.sum(x * x * x), lambda x: cr.checkpoint(lambda: cr.sum(x * x * x))()),
    "nested": (
        lambda x: cr.sum(cr.sin(x * x) * x * x),
        lambda x: cr.sum(cr.checkpoint(lambda u: cr.checkpoint(cr.sin)(u * x) * u)(x) * x),
    ),
    "trees": (
        lambda x: cr.sum(cr.exp(x) * x) + 2,
        lambda x: (lambda t: cr.sum(t["a"][0] * t["a"][1]) + t["n"])(
            cr.checkpoint(lambda v: {"a": (cr.exp(v), v), "n": 2})(x)
        ),
    ),
    "transformations inside": (with_transformations, cr.checkpoint(with_transformations)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_gradients_are_those_of_the_function(name):
    f, g = FUNCTIONS[name]
    np.testing.assert_array_equal(f(cr.tensor(X)), g(cr.tensor(X)))
    np.testing.assert_allclose(cr.grad(f)(X), cr.grad(g)(X), rtol=ROUNDING, atol=ROUNDING)
    assert cr.check_gradients(g, X, order=2)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_second_derivatives_by_all_four_nestings(name):
    f, g = FUNCTIONS[name]
    for inner, outer in itertools.product(["forward", "reverse"], repeat=2):
        hessian = cr.jacobian(cr.jacobian(g, mode=inner), mode=outer)(X)
        np.testing.assert_allclose(hessian, cr.hessian(f)(X), rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_vmap_inside_and_outside(name):
    f, g = FUNCTIONS[name]
    xs = np.random.default_rng(2).standard_normal((3, 4))
    for transformed in (
        lambda h: cr.vmap(h)(xs),
        lambda h: cr.vmap(cr.grad(h))(xs),
        lambda h: cr.grad(lambda v: cr.sum(cr.vmap(h)(v)))(xs),
        lambda h: cr.grad(lambda c: cr.sum(cr.vmap(lambda v: h(v * c))(xs)))(X),
    ):
        np.testing.assert_allclose(transformed(f), transformed(g), rtol=ROUNDING, atol=ROUNDING)


def test_what_a_closure_uses_inside_vmap_keeps_its_gradient():
    xs = np.random.default_rng(2).standard_normal((3, 4))
    plain = cr.grad(lambda c: cr.sum(cr.vmap(lambda v: direct(v * c))(xs)))(X)
    kept = cr.grad(lambda c: cr.sum(cr.vmap(cr.checkpoint(lambda v: direct(v * c)))(xs)))(X)
    np.testing.assert_allclose(kept, plain, rtol=ROUNDING)


def network():
    cr.seed(3)
    layers = [(nn.Linear(6, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Dropout(0.3)) for _ in range(4)]
    return nn.Sequential(*itertools.chain.from_iterable(layers)).astype("float64")


def trained_step(model, wrapped, x):
    cr.seed(7)
    (wrapped(cr.tensor(x)) ** 2).sum().backward()
    return [p.grad.data.copy() for p in model.parameters()]


@pytest.mark.parametrize("segments", [1, 2, 5, 16, None])
def test_modules_draw_the_same_and_keep_one_set_of_statistics(segments):
    x = np.random.default_rng(4).standard_normal((5, 6))
    plain, kept = network(), network()
    wanted = trained_step(plain, plain, x)
    if segments == 1:  # the same paths, so the same draws
        for a, b in zip(trained_step(kept, cr.checkpoint(kept), x), wanted, strict=True):
            np.testing.assert_array_equal(a, b)
    else:
        trained_step(kept, cr.checkpoint_sequential(kept, segments), x)
    for (name, a), (_, b) in zip(kept.named_buffers(), plain.named_buffers(), strict=True):
        if name.endswith("tracked"):
            assert a.data == b.data == 1


def test_dropout_in_segments_is_the_dropout_of_the_first_run():
    """Differences see one function only if both runs draw alike."""
    layers = [lambda v: cr.dropout(cr.tanh(v), 0.4) for _ in range(6)]
    f = cr.checkpoint_sequential(layers, 3)
    assert cr.check_gradients(f, np.random.default_rng(5).standard_normal((3, 4)))


def test_create_graph_differentiates_again():
    x = cr.tensor(X, requires_grad=True)
    y = cr.checkpoint(direct)(x)
    first = cr.gradients(y, x, create_graph=True)
    second = cr.gradients(cr.sum(first * first), x)
    h = cr.hessian(direct)(X)
    np.testing.assert_allclose(second, 2 * h @ cr.grad(direct)(X), rtol=ROUNDING)


def test_without_a_derivative_in_sight_it_is_the_function():
    assert isinstance(cr.checkpoint(cr.sin)(X), np.ndarray)
    with cr.no_grad():
        assert not cr.checkpoint(cr.sin)(cr.tensor(X, requires_grad=True)).requires_grad


class Checkpointed(nn.Module):
    def __init__(self, inner):
        self.inner = inner

    def forward(self, x):
        return cr.checkpoint(self.inner)(x)


def test_summary_and_functional_call_see_through():
    inner = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).astype("float64")
    model, x = Checkpointed(inner), np.random.default_rng(6).standard_normal((5, 3))
    assert nn.summary(model, (5, 3)).flops == nn.summary(inner, (5, 3)).flops

    def loss(w, called):
        return cr.sum(nn.functional_call(called, w, x) ** 2)

    w = {name: p.data for name, p in inner.named_parameters()}
    wanted = cr.grad(lambda v: loss(v, inner))(w)
    got = cr.grad(lambda v: loss(v, model))({f"inner.{name}": p for name, p in w.items()})
    for name in w:
        np.testing.assert_array_equal(got[f"inner.{name}"], wanted[name])


# --- memory ---------------------------------------------------------------------------------------


LAYERS, SIZE = 64, 20_000


def peak_bytes(f):
    """The most memory that one pass forward and back has at a time."""
    x = cr.tensor(np.ones(SIZE), requires_grad=True)
    tracemalloc.start()
    f(x).sum().backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / (SIZE * 8)


def chain():
    return [lambda v: cr.sin(v) for _ in range(LAYERS)]


def plain(x):
    for f in chain():
        x = f(x)
    return x


def test_memory_grows_with_the_root_of_the_layers():
    """64 layers: 64 results alive at a time, or 8 between segments and 8 inside one, and a few in the air."""
    assert peak_bytes(plain) >= LAYERS
    assert peak_bytes(cr.checkpoint_sequential(chain())) <= 2 * 8 + 6


def test_the_graph_has_one_node_a_segment():
    x = cr.tensor(np.ones(3), requires_grad=True)
    assert len(cr.graph(plain(x))) == LAYERS + 1
    assert len(cr.graph(cr.checkpoint_sequential(chain())(x))) == 8 + 1
    assert len(cr.graph(cr.checkpoint_sequential(chain(), 3)(x))) == 3 + 1


def test_modules_can_be_copied_after_a_checkpoint():
    model = Checkpointed(nn.Linear(2, 2))
    model(np.ones((1, 2))).sum().backward()
    assert copy.deepcopy(model).n_parameters == 6


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: cr.checkpoint_sequential([]),
            "checkpoint_sequential needs at least one function, the list is empty.",
        ),
        (lambda: cr.checkpoint_sequential([cr.sin] * 3, 4), "3 functions cannot be cut into 4 segments."),
    ],
)
def test_mistakes_are_named(call, text):
    with pytest.raises(cr.OptionError) as caught:
        call()
    assert str(caught.value) == text


def test_a_function_that_changes_in_between_is_refused():
    kinds = iter([lambda v: v * X, lambda v: cr.ones(4)])
    x, w = (cr.tensor(X, requires_grad=True) for _ in range(2))
    y = cr.checkpoint(lambda v: next(kinds)(v) * w)(x)
    with pytest.raises(cr.GradientError) as caught:
        y.sum().backward()
    assert str(caught.value) == (
        "A checkpointed function did something else when it was called again.\n"
        "  used    2 tensors in the first run, 1 of them in the second\n"
        "  try     a function that depends on nothing that changes in between"
    )
