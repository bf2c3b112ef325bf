"""000, chapters 10, 11 and 12: computational graphs, numerical stability, tensors."""

from itertools import pairwise

import numpy as np
import pytest

import chainrule as cr
from chainrule import losses
from chainrule.base.errors import ShapeError

EXACT = 1e-12  # float64 rounding of a few operations on numbers near 1


def close(got, wanted):
    np.testing.assert_allclose(got, wanted, rtol=EXACT, atol=EXACT)


# --- chapter 10: computational graphs -------------------------------------------------------------------


@pytest.fixture
def example():
    """§10.2.2: y = (x₁ + x₂) x₁ at (2, 3), L = y²."""
    x1, x2 = (cr.tensor(np.array(v), requires_grad=True) for v in (2.0, 3.0))
    v3 = x1 + x2
    v4 = v3 * x1
    y = cr.identity(v4)
    return {"v1": x1, "v2": x2, "v3": v3, "v4": v4, "v5": y, "L": y**2}


@pytest.mark.worked("000-10.fwd", "000-10.7", "000-10.hand")
def test_adjoints_of_the_example(worked, example):
    """§10.2.2: values forward, adjoints (10.4)-(10.7) backward, and 20 (2x₁ + x₂) by hand."""
    worked("000-10.fwd").check([example[v] for v in ("v3", "v4", "v5")])
    adjoints = cr.gradients(example["L"], [example[v] for v in ("v5", "v4", "v3", "v1", "v2")])
    worked("000-10.7").check(adjoints)
    worked("000-10.hand").check(adjoints[3])
    assert adjoints[3].item() == 20 * (2 * 2 + 3)


def test_the_example_by_forward_mode_and_by_paths():
    """(10.8), one pass an input; (10.2), x₁ reaches y over v₃ and directly."""

    def loss(x1, x2):
        return ((x1 + x2) * x1) ** 2

    point = (np.float64(2), np.float64(3))
    assert cr.jvp(loss, point, (np.float64(1), np.float64(0)))[1] == 140
    assert cr.jvp(loss, point, (np.float64(0), np.float64(1)))[1] == 40
    over_v3, directly = 20 * 2 * 1, 20 * 5
    assert over_v3 + directly == cr.grad(loss)(*point)


@pytest.mark.worked("000-10.3.1")
def test_a_dense_network_has_an_edge_for_every_weight(worked):
    """§10.3.1: L layers of n units have L n² edges, and cost so much, not L n, which counts the units."""
    network = cr.nn.Sequential(*[cr.nn.Linear(10, 10, bias=False) for _ in range(3)])
    worked("000-10.3.1").check(network.n_parameters)
    products = [node for node in cr.graph(network(np.ones((1, 10)))) if node.name == "matmul"]
    assert sum(node.primitive.flops(*node.args) for node in products) == 2 * 300


@pytest.mark.worked("000-10.3.2")
def test_reverse_mode_is_for_many_inputs_and_few_outputs():
    """§10.3.2: the gradient of one loss is one reverse pass, but a forward pass an input."""
    calls = []

    def loss(x):
        calls.append(x)
        return cr.sum(cr.sin(x) * x)

    x = np.linspace(-1, 1, 20)
    gradient = cr.grad(loss)(x)
    assert len(calls) == 1
    close([cr.jvp(loss, (x,), (e,))[1] for e in np.eye(20)], gradient)
    assert len(calls) == 1 + 20


@pytest.mark.worked("000-10.3.3")
def test_reverse_mode_keeps_every_layer():
    """§10.3.3, memory: Σ nₗ numbers wait for the backward pass, not max nₗ; forward mode keeps none."""
    widths = [4, 50, 3, 20, 1]
    rng = np.random.default_rng(0)
    W = [rng.standard_normal((n, m)) / m for m, n in pairwise(widths)]

    def network(h):
        for w in W:
            h = cr.tanh(w @ h)
        return cr.sum(h)

    x = cr.tensor(rng.standard_normal(4), requires_grad=True)
    y = network(x)
    activations = [node for node in cr.graph(y) if node.name == "tanh"]
    assert sum(node.value.size for node in activations) == sum(widths[1:]) > max(widths)
    assert not any(node.freed for node in activations)
    y.backward()
    assert all(node.freed for node in activations)
    value, tangent = cr.jvp(network, (x.data,), (np.ones(4),))
    assert not isinstance(value, cr.Tensor) and not isinstance(tangent, cr.Tensor)


@pytest.mark.worked("000-10.12")
def test_backward_pass_of_softmax():
    """§10.4.2 (10.12): z̄ᵢ = pᵢ (p̄ᵢ − p̄ᵀp). For cross-entropy p̄ᵢ = −yᵢ/pᵢ, and z̄, not p̄, is p − y."""
    z, y = np.array([1.0, 0.5, -0.3]), np.array([0.0, 1.0, 0.0])
    p, pull = cr.vjp(cr.softmax, z)
    p_bar = cr.grad(lambda p: -cr.sum(y * cr.log(p)))(p)
    close(p_bar, -y / p)
    (z_bar,) = pull(p_bar)
    close(z_bar, p * (p_bar - p_bar @ p))
    np.testing.assert_allclose(z_bar, [0.53218029, -0.67721634, 0.14503605], rtol=1e-7)
    close(z_bar, cr.grad(lambda z: losses.cross_entropy(z[None], [1]))(z))
    (as_printed,) = pull(p - y)
    np.testing.assert_allclose(as_printed, [0.23763092, -0.24624303, 0.0086121103], rtol=1e-7)


# --- chapter 11: numerical stability --------------------------------------------------------------------


@pytest.mark.worked("000-11.1")
def test_large_logits():
    """§11.1: e¹⁰⁰⁰ overflows, softmax and cross-entropy do not."""
    logits = np.array([[1000.0, 999.0]])
    with np.errstate(over="ignore"):
        assert np.isinf(cr.exp(logits)).all()
    np.testing.assert_allclose(cr.softmax(logits), [[0.7310586, 0.2689414]], atol=5e-8)
    assert losses.cross_entropy(logits, [1]) == pytest.approx(1.3132617, abs=5e-8)
    close(cr.grad(lambda z: losses.cross_entropy(z, [1]))(logits), cr.softmax(logits) - [[0, 1]])


@pytest.mark.worked("000-11.6")
def test_he_variance_keeps_the_second_moment():
    """§11.2.2 (11.6): n · (2/n) · E[relu(z)²] = E[z²]."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    density = weights / weights.sum()
    close(2 * density @ cr.relu(nodes) ** 2, density @ nodes**2)
    W = cr.nn.init.he_normal((1000, 500), cr.base.keys.Key(0)).astype(np.float64)
    four_standard_errors = 4 * np.sqrt(2 / W.size)  # of a variance of W.size normal draws, relative
    assert 500 * W.var() == pytest.approx(2, rel=four_standard_errors)


def half_precision(x):
    """What is left of a number in 16 bits."""
    return cr.tensor(np.array(x)).astype(np.float16).astype(np.float64)


@pytest.mark.worked("000-11.3a", "000-11.3b")
def test_range_of_half_precision(worked):
    """§11.3.2: 65504 is finite and 65520 not; 10⁻⁵ survives as a subnormal, what is at most 2⁻²⁵ does not."""
    limits = np.finfo(np.float16)
    worked("000-11.3a").check([half_precision(float(x)) for x in (limits.smallest_normal, limits.max)])
    with np.errstate(over="ignore"):
        assert half_precision(65520.0).item() == np.inf
    worked("000-11.3b").check(half_precision(1e-5), tabulated_times=1e5)
    assert half_precision(2.0**-25).item() == 0
    assert half_precision(1.01 * 2.0**-25).item() == 2.0**-24


@pytest.mark.worked("000-11.8")
def test_loss_scale_saves_small_gradients(worked):
    """§11.3.1 (11.8): a gradient of 2⁻²⁶ is 0 in 16 bits; of 2¹⁵ times the loss it is 2⁻¹¹."""

    def loss(w):
        return w * 2.0**-13 * 2.0**-13

    w = cr.tensor(np.float16(1), requires_grad=True)
    assert cr.gradients(loss(w), w).item() == 0
    scaled = cr.gradients(loss(w) * 2.0**15, w).astype(np.float64)
    worked("000-11.8").check(scaled / 2.0**-26)


# --- chapter 12: tensors --------------------------------------------------------------------------------


@pytest.mark.worked("000-12.7")
def test_permuting_axes():
    """§12.3.2 (12.7): Yᵢⱼₖₗ = Xₖᵢₗⱼ takes the argument (1, 3, 0, 2); (2, 0, 3, 1) gives Xⱼₗᵢₖ."""
    X = cr.tensor(np.random.default_rng(0).standard_normal((2, 3, 4, 5)))
    Y = X.transpose(1, 3, 0, 2)
    Z = X.transpose(2, 0, 3, 1)
    assert (Y.shape, Z.shape) == ((3, 5, 2, 4), (4, 2, 5, 3))
    for k, i, l, j in np.ndindex(2, 3, 4, 5):
        assert Y[i, j, k, l].item() == X[k, i, l, j].item()
        assert Z[l, k, j, i].item() == X[k, i, l, j].item()


@pytest.mark.worked("000-12.9")
def test_flattening_keeps_the_batch():
    """§12.3.3 (12.9): a dense layer needs (B, C H W); one vector of B C H W numbers does not fit it."""
    images, dense = cr.ones(2, 3, 4, 5), cr.nn.Linear(60, 7)
    flat = cr.nn.Flatten()(images)
    assert flat.shape == (2, 60)
    assert dense(flat).shape == (2, 7)
    with pytest.raises(ShapeError):
        dense(images.reshape(-1))
