"""grad, value_and_grad, vjp, jvp and their nests agree with JAX in float64."""

import numpy as np
import pytest

import chainrule as cr

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")

CLOSE = 1e-11  # float64, two or three derivatives deep: some thousand units of the last place
DRAW = np.random.default_rng(0)
X, V = DRAW.uniform(0.3, 1.5, (3, 4)), DRAW.standard_normal((3, 4))
W = DRAW.standard_normal((4, 2))


@pytest.fixture(autouse=True, scope="module")
def float64():
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def sums(lib, x):
    return lib.sum(lib.exp(lib.sin(x) * x)) * lib.mean(x)


def network(lib, x):
    return lib.sum(lib.square(lib.tanh(lib.matmul(lib.tanh(lib.matmul(x, W)), W.T)) - x))


def cross_entropy(lib, x):
    log_softmax = cr.log_softmax if lib is cr else jax.nn.log_softmax
    return -lib.mean(log_softmax(lib.matmul(x, W))[(0, 1, 2), (1, 0, 1)])


def moments(lib, x):
    return lib.sum(lib.sqrt(lib.var(x, 1))) / lib.max(x) + lib.log1p(lib.min(x))


def moved(lib, x):
    rows = lib.concatenate([x[1:], x[:1] * x[0]])
    return lib.sum(
        lib.transpose(lib.reshape(rows, (2, 6))) ** 3 * lib.where(rows.reshape(6, 2) > 1, 2.0, rows.reshape(6, 2))
    )


FUNCTIONS = {f.__name__: f for f in (sums, network, cross_entropy, moments, moved)}


@pytest.fixture(params=sorted(FUNCTIONS))
def pair(request):
    f = FUNCTIONS[request.param]
    return (lambda x: f(cr, x)), (lambda x: f(jnp, x))


def close(found, wanted):
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.dtype == wanted.dtype == np.float64
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=CLOSE, atol=CLOSE * max(1, np.abs(wanted).max()))


def test_value_and_grad(pair):
    ours, theirs = pair
    for found, wanted in zip(cr.value_and_grad(ours)(X), jax.value_and_grad(theirs)(X), strict=True):
        close(found, wanted)


def test_jvp(pair):
    ours, theirs = pair
    for found, wanted in zip(cr.jvp(ours, (X,), (V,)), jax.jvp(theirs, (X,), (V,)), strict=True):
        close(found, wanted)


def test_vjp_of_the_gradient(pair):
    ours, theirs = pair
    (y, pull), (wanted, jax_pull) = cr.vjp(cr.grad(ours), X), jax.vjp(jax.grad(theirs), X)
    close(y, wanted)
    close(pull(V)[0], jax_pull(V)[0])


def test_hessian_vector_products_forward_over_reverse(pair):
    ours, theirs = pair
    close(cr.jvp(cr.grad(ours), (X,), (V,))[1], jax.jvp(jax.grad(theirs), (X,), (V,))[1])


def test_hessian_vector_products_reverse_over_forward(pair):
    ours, theirs = pair
    found = cr.grad(lambda x: cr.jvp(ours, (x,), (V,))[1])(X)
    close(found, jax.grad(lambda x: jax.jvp(theirs, (x,), (V,))[1])(X))


def test_third_derivatives(pair):
    def third(lib, grad, jvp, f):
        hvp = lambda x: jvp(grad(f), (x,), (V,))[1]  # noqa: E731
        return grad(lambda x: lib.sum(hvp(x) * V))(X)

    ours, theirs = pair
    close(third(cr, cr.grad, cr.jvp, ours), third(jnp, jax.grad, jax.jvp, theirs))


def test_trees_and_argnums():
    def f(lib, p, x):
        return lib.sum(lib.tanh(lib.matmul(x, p["w"]) + p["b"]) ** 2)

    p = {"w": W, "b": np.array([0.1, -0.2])}
    found = cr.grad(lambda p, x: f(cr, p, x), argnums=(0, 1))(p, X)
    wanted = jax.grad(lambda p, x: f(jnp, p, x), argnums=(0, 1))(p, X)
    close(found[0]["w"], wanted[0]["w"])
    close(found[0]["b"], wanted[0]["b"])
    close(found[1], wanted[1])


def test_perturbations_are_not_confused():
    def nested(grad):
        return grad(lambda x: x * grad(lambda y: x * x * y * y)(2 * x))(np.array(1.5))

    close(nested(cr.grad), nested(jax.grad))


# --- Jacobians and Hessians of trees and of several arguments ----------------------------------------

P = {"w": W, "b": (DRAW.standard_normal(2), DRAW.uniform(0.5, 1, ()))}


def model(lib, p, x, scale):
    """A dict and a list of results, of a dict with a tuple, an array and a number."""
    hidden = lib.tanh(lib.matmul(x, p["w"]) + p["b"][0]) * scale
    return {"y": hidden * p["b"][1], "norms": [lib.sum(hidden, 1), lib.sum(p["w"] ** 3)]}


def loss(lib, p, x, scale):
    result = model(lib, p, x, scale)
    return lib.sum(result["y"] ** 2) + lib.sum(lib.sin(result["norms"][0])) * result["norms"][1]


ARGUMENTS = (0, 1, 2, (0,), (1, 2), (2, 0), (0, 1, 2), -1)


def all_close(found, wanted):
    assert jax.tree.structure(found) == jax.tree.structure(wanted)
    for ours, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        close(ours, theirs)


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
@pytest.mark.parametrize("argnums", ARGUMENTS)
def test_jacobians_of_trees(argnums, mode):
    ours = cr.jacobian(lambda *args: model(cr, *args), argnums, mode)(P, X, np.float64(1.5))
    all_close(ours, jax.jacrev(lambda *args: model(jnp, *args), argnums)(P, X, 1.5))


@pytest.mark.parametrize("argnums", ARGUMENTS)
def test_hessians_of_trees(argnums):
    ours = cr.hessian(lambda *args: loss(cr, *args), argnums)(P, X, np.float64(1.5))
    all_close(ours, jax.hessian(lambda *args: loss(jnp, *args), argnums)(P, X, 1.5))


def test_the_jacobian_of_a_jacobian_of_trees():
    def second(lib, jacobian):
        return jacobian(jacobian(lambda p, x: model(lib, p, x, 2.0), (0, 1)), 1)(P, X)

    all_close(second(cr, cr.jacobian), second(jnp, jax.jacfwd))


def test_the_jacobian_of_a_module_over_its_parameters():
    module = cr.nn.Sequential(cr.nn.Linear(4, 3), cr.nn.Tanh(), cr.nn.Linear(3, 2)).astype("float64")
    weights = {name: p.numpy() for name, p in module.named_parameters()}
    found = cr.jacobian(lambda w: cr.nn.functional_call(module, w, X))(weights)

    def theirs(w):
        return jnp.tanh(X @ w["0.weight"].T + w["0.bias"]) @ w["2.weight"].T + w["2.bias"]

    all_close(found, jax.jacrev(theirs)(weights))
    parameters = dict(module.named_parameters())
    tensors = cr.jacobian(lambda w: cr.nn.functional_call(module, w, X))(parameters)
    assert all(isinstance(block, cr.Tensor) for block in tensors.values())
    all_close({name: block.numpy() for name, block in tensors.items()}, found)
    curvature = cr.hessian(lambda w: cr.sum(cr.nn.functional_call(module, w, X) ** 2))(weights)
    all_close(curvature, jax.hessian(lambda w: jnp.sum(theirs(w) ** 2))(weights))


def test_the_smaller_number_of_passes_is_taken(monkeypatch):
    """A result smaller than the arguments together is differentiated in reverse, a larger one forward."""
    module = __import__("chainrule.core.jacobians", fromlist=["_forward"])
    taken = []
    before = module._forward
    monkeypatch.setattr(module, "_forward", lambda f, x: taken.append("forward") or before(f, x))
    few, many = np.ones(2), np.ones(9)
    cr.jacobian(lambda a, b: cr.sum(a) * b, (0, 1))(many, few)
    assert taken == []
    cr.jacobian(lambda a, b: {"y": cr.outer(a, b), "z": a}, (0, 1))(many, few)
    assert taken == ["forward"]
