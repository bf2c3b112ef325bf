"""The Hessian of a network's loss by its parameters: all four nestings of the two modes, and JAX."""

import numpy as np
import pytest

import chainrule as cr

jax = pytest.importorskip("jax")
jnp = jax.numpy

EXACT = 1e-10
DRAW = np.random.default_rng(0)
X, LABELS = DRAW.standard_normal((6, 3)), DRAW.integers(0, 2, 6)


@pytest.fixture(scope="module")
def network():
    """The loss as a function of all parameters in one vector, where it is taken, and JAX's Hessian there."""
    jax.config.update("jax_enable_x64", True)
    cr.seed(0)
    model = cr.models.MLP(3, 4, 2, activation="tanh").astype("float64")
    named = dict(model.named_parameters())
    theta = np.concatenate([p.numpy().ravel() for p in named.values()])

    def cut(v):
        ends = np.cumsum([p.size for p in named.values()])
        return [v[e - p.size : e].reshape(*p.shape) for e, p in zip(ends.tolist(), named.values(), strict=True)]

    def loss(v):
        weights = dict(zip(named, cut(v), strict=True))
        return cr.losses.cross_entropy(cr.nn.functional_call(model, weights, X), LABELS)

    def theirs(v):
        w1, b1, w2, b2 = cut(v)
        z = jnp.tanh(X @ w1.T + b1) @ w2.T + b2
        return -jnp.mean(jax.nn.log_softmax(z)[jnp.arange(6), LABELS])

    return loss, theta, np.asarray(jax.hessian(theirs)(jnp.asarray(theta)))


def along(f, e):
    """The derivative of f in a direction, as a function."""
    return lambda v: cr.jvp(f, (v,), (e,))[1]


NESTINGS = {
    "forward over reverse": lambda f, v, e: along(cr.grad(f), e)(v),
    "reverse over reverse": lambda f, v, e: cr.grad(lambda u: (cr.grad(f)(u) * e).sum())(v),
    "reverse over forward": lambda f, v, e: cr.grad(along(f, e))(v),
    "forward over forward": lambda f, v, e: [float(along(along(f, e), d)(v)) for d in np.eye(len(v))],
}


@pytest.mark.parametrize("nesting", NESTINGS)
def test_every_nesting_gives_the_hessian(network, nesting):
    loss, theta, wanted = network
    rows = np.array([np.asarray(NESTINGS[nesting](loss, theta, e)) for e in np.eye(len(theta))])
    np.testing.assert_allclose(rows, wanted, rtol=EXACT, atol=EXACT)


def test_hessian_is_it_too(network):
    loss, theta, wanted = network
    np.testing.assert_allclose(np.asarray(cr.hessian(loss)(theta)), wanted, rtol=EXACT, atol=EXACT)
