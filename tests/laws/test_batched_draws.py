"""Random draws inside vmap: the same for all examples, one stream for each, or one seed for each."""

import itertools

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn

KEY = cr.Key(5) / "step" / 3
SIZE = 4
ROUNDING = 1e-13
"""The draws are equal; what is computed with them are the same sums in another order."""

DRAWS = {
    "normal": lambda x: cr.normal(x, 2.0),
    "uniform": lambda x: cr.uniform(x, 3.0),
    "bernoulli": lambda x: cr.bernoulli(0.5, (40,)) + 0 * x[0],
    "gumbel": lambda x: cr.gumbel((4,)) + 0 * x[0],
    "categorical": lambda x: cr.categorical(cr.zeros(40, 3)) + cr.astype(0 * x[0], "int64"),
    "gumbel_softmax": lambda x: cr.gumbel_softmax(x, 0.5),
    "noise": cr.noise,
    "randn": lambda x: cr.randn(3) * x,
    "rand": lambda x: cr.rand(3) * x,
    "dropout": lambda x: cr.dropout(x + 1),
    "Dropout": nn.Dropout(0.5),
    "StochasticDepth": lambda x: nn.StochasticDepth(0.5)(cr.reshape(x, 3, 1)),
    "attention": lambda x: cr.scaled_dot_product_attention(*[cr.reshape(x, 3, 1)] * 3, dropout=0.5),
    "LSTM": lambda x: LSTM(cr.reshape(x, 1, 3, 1))[0],
    "two after one another": lambda x: cr.dropout(x) * cr.dropout(x) + cr.rand(3),
    "checkpoint": cr.checkpoint(lambda x: cr.dropout(x + 1) * 2),
    "a stream of its own": lambda x: own_stream(x),
}
LSTM = nn.LSTM(1, 2, 2, dropout=0.5).astype("float64")


def own_stream(x):
    with cr.random_stream(cr.Key(1)):
        return cr.dropout(x + 1) + 0 * x


def points(size=SIZE):
    return np.random.default_rng(0).uniform(1, 2, (size, 3))


def at(key, f, *args):
    """f with its draws from the stream of a key."""
    with cr.random_stream(key):
        return f(*args)


def looped(f, xs, keys):
    return np.stack([np.asarray(at(key, f, cr.tensor(x))) for key, x in zip(keys, xs, strict=True)])


def of_each(key, size=SIZE):
    """The key of each example, as `vmap` documents it."""
    return [key / "example" / k for k in range(size)]


@pytest.mark.parametrize("name", DRAWS)
def test_different_draws_are_those_of_a_loop_over_the_documented_keys(name):
    f = DRAWS[name]
    got = at(KEY, cr.vmap(f, randomness="different"), points())
    np.testing.assert_allclose(got, looped(f, points(), of_each(KEY)), rtol=ROUNDING)


@pytest.mark.parametrize("name", DRAWS)
def test_same_draws_are_those_of_one_call(name):
    f = DRAWS[name]
    np.testing.assert_allclose(at(KEY, cr.vmap(f), points()), looped(f, points(), [KEY] * SIZE), rtol=ROUNDING)
    np.testing.assert_array_equal(at(KEY, cr.vmap(f), points()), at(KEY, cr.vmap(f, randomness="same"), points()))


@pytest.mark.parametrize("name", DRAWS)
def test_draws_by_seed_are_those_of_a_stream_started_there(name):
    f, seeds = DRAWS[name], [11, 0, 7, 11]
    got = at(KEY, cr.vmap(f, randomness=seeds), points())
    np.testing.assert_allclose(got, looped(f, points(), [cr.Key(s, KEY.path) for s in seeds]), rtol=ROUNDING)


@pytest.mark.parametrize("name", [n for n in DRAWS if n != "a stream of its own"])
def test_examples_do_draw_differently(name):
    """Ten equal examples, so that no two streams agree by chance in all of them."""
    xs = np.broadcast_to(points(1), (10, 3))
    got = np.asarray(at(KEY, cr.vmap(DRAWS[name], randomness="different"), xs))
    assert (got != got[0]).any()


@pytest.mark.parametrize("size", [1, 2, 9])
def test_an_example_does_not_depend_on_those_beside_it(size):
    draw = cr.vmap(cr.dropout, randomness="different")
    few = min(size, SIZE)
    np.testing.assert_array_equal(at(KEY, draw, points(9)[:size])[:few], at(KEY, draw, points(9))[:few])


def test_the_count_of_draws_goes_on():
    """Two calls of vmap draw what each example's own stream gives first and next; so does the stream outside."""

    def twice(x):
        with cr.random_stream(KEY):
            a, outside = cr.vmap(cr.noise, randomness="different")(x), cr.rand(2)
            return a, cr.vmap(cr.noise, randomness="different")(x), outside

    a, b, outside = twice(points())
    for k, key in enumerate(of_each(KEY)):
        with cr.random_stream(key):
            np.testing.assert_array_equal(a[k], cr.noise(points()[k]))
            cr.rand(2)
            np.testing.assert_array_equal(b[k], cr.noise(points()[k]))
    with cr.random_stream(KEY):
        cr.noise(points()[0])
        np.testing.assert_array_equal(outside, cr.rand(2))


def test_a_given_key_is_the_same_for_all():
    got = cr.vmap(lambda x: cr.noise(x, key=KEY) - x, randomness="different")(np.zeros((3, 2)))
    np.testing.assert_array_equal(got, np.broadcast_to(cr.noise(np.zeros(2), key=KEY), (3, 2)))


@pytest.mark.parametrize(("outer", "inner"), [*itertools.product(["same", "different", "seeds"], repeat=2)])
def test_nested(outer, inner):
    """A loop in a loop, each with its keys."""
    xs = np.random.default_rng(0).uniform(1, 2, (2, 3, 4))

    def keys(key, kind, size):
        if kind == "seeds":
            return [cr.Key(s, key.path) for s in range(20, 20 + size)]
        return of_each(key, size) if kind == "different" else [key] * size

    def mapped(f, kind, size):
        return cr.vmap(f, randomness=list(range(20, 20 + size)) if kind == "seeds" else kind)

    got = at(KEY, mapped(mapped(cr.noise, inner, 3), outer, 2), xs)
    rows = [looped(cr.noise, x, keys(key, inner, 3)) for x, key in zip(xs, keys(KEY, outer, 2), strict=True)]
    np.testing.assert_array_equal(got, np.stack(rows))


def test_gradients_example_by_example_with_dropout_of_their_own():
    model = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1)).astype("float64")
    w = {n: p.data for n, p in model.named_parameters()}
    loss = lambda w, x: cr.sum(cr.square(nn.functional_call(model, w, x)))  # noqa: E731
    each = at(KEY, cr.vmap(cr.grad(loss), in_axes=(None, 0), randomness="different"), w, points())
    for k, key in enumerate(of_each(KEY)):
        alone = at(key, cr.grad(loss), w, cr.tensor(points()[k]))
        for n in w:
            np.testing.assert_allclose(each[n][k], alone[n], rtol=1e-13, atol=1e-15)  # the same sums, batched


@pytest.mark.parametrize("order", ["outside", "inside", "twice"])
def test_a_checkpoint_draws_again_what_it_drew(order):
    """The function is run again for its derivative, then with the batch as an operand: the draws are the first ones."""
    plain = lambda x: cr.sum(cr.sin(cr.dropout(x * x) * cr.rand(3)))  # noqa: E731
    results = []
    for f in (plain, cr.checkpoint(plain)):
        many = cr.vmap(f, randomness="different")
        slopes = {
            "outside": cr.grad(lambda x, many=many: cr.sum(many(x))),
            "inside": cr.vmap(cr.grad(f), randomness="different"),
            "twice": cr.vmap(cr.hessian(f), randomness="different"),
        }[order]
        results.append(np.asarray(at(KEY, slopes, points())))
    np.testing.assert_array_equal(*results)
    assert results[0].any()


def test_backward_through_a_checkpoint_after_vmap_has_ended():
    grads = []
    for f in (lambda x: cr.sin(cr.dropout(x)), cr.checkpoint(lambda x: cr.sin(cr.dropout(x)))):
        x = cr.tensor(points(), requires_grad=True)
        at(KEY, cr.vmap(f, randomness="different"), x).sum().backward()
        grads.append(x.grad.data)
    np.testing.assert_array_equal(*grads)


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_other_backends_draw_the_same(backend):
    pytest.importorskip(backend)
    xs, seeds = points().astype(np.float32), [3, 2**40, 1, 0]  # one is wider than JAX's integers may be
    with cr.use(backend):
        got = at(KEY, cr.vmap(lambda x: cr.dropout(x) + cr.randn(3), randomness="different"), cr.tensor(xs))
        alone = at(KEY, cr.vmap(lambda x: cr.randn(3), randomness="different"), cr.tensor(xs))
        seeded = at(KEY, cr.vmap(cr.dropout, randomness=seeds), cr.tensor(xs))
    np.testing.assert_array_equal(got.numpy(), looped(lambda x: cr.dropout(x) + cr.randn(3), xs, of_each(KEY)))
    np.testing.assert_array_equal(seeded.numpy(), looped(cr.dropout, xs, [cr.Key(s, KEY.path) for s in seeds]))
    assert cr.backends.backend_of(alone.data).name == backend


def test_a_compiled_step_draws_the_same():
    jax = pytest.importorskip("jax")
    xs = points().astype(np.float32)

    def f(x):
        return at(KEY, cr.vmap(cr.dropout, randomness="different"), cr.Tensor(x)).data

    with cr.use("jax"):
        np.testing.assert_array_equal(jax.jit(f)(xs), looped(cr.dropout, xs, of_each(KEY)))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: cr.vmap(cr.dropout, randomness="error")(np.ones(2)),
            "There is no randomness 'error'.\n  known   same, different, or a list of seeds",
        ),
        (
            lambda: cr.vmap(cr.dropout, randomness=[1, 2, 3])(np.ones(2)),
            "vmap takes one seed for each of 2 examples, got shape (3,).",
        ),
        (
            lambda: cr.vmap(cr.dropout, randomness=[0.5, 1.5])(np.ones(2)),
            "Seeds are integers, these are float64.",
        ),
        (
            lambda: cr.vmap(lambda x: nn.Linear(2, 2)(x), randomness="different")(np.ones((2, 2))),
            "Numbers for all examples were drawn where every example of vmap has its own stream.\n"
            "  cause   a layer is made, or a generator asked for, inside the function\n"
            '  try     make layers outside of it, or randomness="same"',
        ),
    ],
)
def test_mistakes_are_named(call, text):
    with pytest.raises(cr.ChainruleError) as caught:
        call()
    assert str(caught.value) == text
