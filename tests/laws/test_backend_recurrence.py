"""Recurrences on every backend are those of NumPy: masks, directions, first states, dtypes, both modes, compiled."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.backends import backend_of, place_named
from tests.laws.entries import results
from tests.laws.recurrent_layers import LAYERS

EQUAL = {"float64": 1e-11, "float32": 2e-5}
"""Sums in another order over seven steps, and other approximations of exp and tanh: some units in the last place of the
largest number, for states of a residual network and gradients are sums whose terms may cancel."""

N, T, IN, H = 3, 7, 3, 4
LENGTHS = np.array([7, 2, 5])


@pytest.fixture(params=["torch", "jax"])
def backend(request):
    library = pytest.importorskip(request.param)
    if request.param == "jax":
        library.config.update("jax_enable_x64", True)
    return request.param


def draw(*shape, dtype="float64", seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype)


def layer_of(name, dtype):
    cr.seed(1)
    return LAYERS[name](num_layers=2, bidirectional=True, learned_state=True).astype(dtype)


def near(got, wanted, dtype="float64"):
    host = np.asarray(backend_of(got).to_numpy(got))
    assert host.dtype == wanted.dtype == dtype
    largest = max(1.0, np.abs(wanted).max(initial=0.0))
    np.testing.assert_allclose(host, wanted, rtol=EQUAL[dtype], atol=EQUAL[dtype] * largest)


def trained_once(layer, x, dtype, mask):
    """Everything that a loss on all states and the last ones makes of a layer and its input."""
    x = cr.tensor(x, requires_grad=True)
    y, last = layer(x, mask=mask)
    loss = (cr.sin(y) * draw(*y.shape, dtype=dtype, seed=2)).sum() + sum((v * v).sum() for v in results(last))
    loss.backward()
    return [y, *results(last), x.grad, *(p.grad for p in layer.parameters())]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_and_its_gradients(name, masked, dtype, backend):
    x, mask = draw(N, T, IN, dtype=dtype), np.arange(T) < LENGTHS[:, None] if masked else None
    wanted = trained_once(layer_of(name, dtype), x, dtype, mask)
    with cr.use(backend):
        got = trained_once(layer_of(name, dtype), x, dtype, mask)
    assert len(got) == len(wanted)
    for g, w in zip(got, wanted, strict=True):
        near(g.data, w.data, dtype)


PRIMITIVES = {"rnn": (1, 1, 1), "lstm": (4, 2, 1), "gru": (3, 1, 2), "chung_gru": (3, 1, 1)}
"""Gates, first states and biases of each."""


def call_of(name, front=()):
    """The fused primitive as a function of all its differentiable arguments, and where they are."""
    gates, states, biases = PRIMITIVES[name]
    shapes = [(N, T, IN), *[(N, H)] * states, (gates * H, IN), (gates * H, H), *[(gates * H,)] * biases]
    settings = {"nonlinearity": "tanh"} if name == "rnn" else {}
    point = [draw(*front, *shape, seed=k) / 2 for k, shape in enumerate(shapes)]

    def call(mask, reverse):
        return lambda *xs: results(cr.PRIMITIVES[name](*xs, *mask, reverse=reverse, **settings))

    return call, point


def both_modes(f, point, bars, dots):
    return [*cr.vjp(f, *point)[1](bars), *cr.jvp(f, tuple(point), dots)[1]]


@pytest.mark.parametrize("front", [(), (2,), (2, 1)], ids=["one", "weights-each", "twice"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", PRIMITIVES)
def test_all_results_and_both_derivatives_of_the_primitive(name, reverse, front, backend):
    """Cotangents arrive at every result, states and gates, over masked steps too."""
    place = place_named(backend)
    (call, point), mask = call_of(name, front), [np.broadcast_to(np.arange(T) < LENGTHS[:, None], (*front, N, T))]
    f, there = call(mask, reverse), call([place.array(mask[0])], reverse)
    y = f(*point)
    for g, w in zip(there(*map(place.array, point)), y, strict=True):
        near(g, w)
    bars, dots = (tuple(draw(*v.shape, seed=9) for v in values) for values in (y, point))
    got = both_modes(there, [place.array(p) for p in point], *(tuple(map(place.array, v)) for v in (bars, dots)))
    for g, w in zip(got, both_modes(f, point, bars, dots), strict=True):
        near(g, w)


@pytest.mark.parametrize("name", PRIMITIVES)
def test_a_cotangent_of_zeros_is_the_one_that_is_left_out(name, backend):
    place = place_named(backend)
    call, point = call_of(name)
    point = [place.array(p) for p in point]
    f = call([], False)
    y, pull = cr.vjp(f, *point)
    bars = [place.array(draw(*v.shape)) for v in y[:1]]
    zeros = [place.array(np.zeros(v.shape)) for v in y[1:]]
    alone = cr.vjp(lambda *xs: f(*xs)[0], *point)[1](bars[0])
    for a, b in zip(pull((*bars, *zeros)), alone, strict=True):
        np.testing.assert_allclose(place.backend.to_numpy(a), place.backend.to_numpy(b), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("name", PRIMITIVES)
def test_a_step_of_training_is_compiled_by_jax(name):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    call, point = call_of(name)
    slopes = cr.grad(lambda *xs: sum(cr.sum(cr.sin(v)) for v in call([], True)(*xs)), argnums=tuple(range(len(point))))
    for g, w in zip(jax.jit(slopes)(*map(jax.numpy.asarray, point)), slopes(*point), strict=True):
        near(g, w)


@pytest.mark.parametrize("name", LAYERS)
def test_a_long_sequence_is_cut_into_stretches_that_nobody_sees(name, backend):
    x = draw(2, 37, IN)
    wanted = trained_once(layer_of(name, "float64"), x, "float64", None)
    with cr.use(backend):
        got = trained_once(layer_of(name, "float64"), x, "float64", None)
    for g, w in zip(got, wanted, strict=True):
        near(g.data, w.data)
