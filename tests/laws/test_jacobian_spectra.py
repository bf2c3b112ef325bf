"""Jacobians of layers and networks, and their singular values: exact, matrix-free, and multiplied along depth."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import glass, nn
from chainrule.base.keys import Key

EXACT = 1e-6  # the matrix and NumPy's SVD, in float64: far more digits than that
LANCZOS = 1e-4  # values found to a residual of 1e-8
DRAW = np.random.default_rng(0)


def deep(activation=nn.Tanh):
    cr.seed(3)
    layers = [layer for _ in range(3) for layer in (nn.Linear(6, 6), activation())]
    return nn.Sequential(*layers, nn.Linear(6, 4))


def matrix(singular_values, m, n):
    """A matrix with these singular values."""
    k = len(singular_values)
    left, right = (np.linalg.qr(DRAW.standard_normal((size, k)))[0] for size in (m, n))
    return left * singular_values @ right.T


def differences(f, x, step=1e-6):
    """∂f/∂x by central differences, rows by entries of f."""
    directions = np.eye(x.size).reshape(-1, *x.shape) * step
    return np.stack([(f(x + d) - f(x - d)).ravel() / (2 * step) for d in directions], axis=1)


# --- Jacobians -------------------------------------------------------------------------------------------


def test_a_dense_layers_jacobian_is_its_weight_and_an_activations_its_slope():
    model, x = deep(), DRAW.standard_normal((5, 6))
    weight = model[0].weight.numpy().astype(float)
    np.testing.assert_allclose(glass.layer_jacobian(model, x, "0"), np.broadcast_to(weight, (5, 6, 6)), atol=1e-14)
    a = np.tanh(x @ weight.T + model[0].bias.numpy())
    slopes = (1 - a**2)[:, :, None] * np.eye(6)
    np.testing.assert_allclose(glass.layer_jacobian(model, x, "1"), slopes, atol=1e-14)


def test_the_networks_jacobian_agrees_with_differences():
    model, x = deep().astype("float64"), DRAW.standard_normal((3, 6))
    J = glass.network_jacobian(model, x)
    assert J.shape == (3, 4, 6)
    for i in range(3):
        expected = differences(lambda v: model(v[None]).numpy(), x[i])
        np.testing.assert_allclose(J[i], expected, atol=1e-8)  # differences of step 1e-6


def test_convolutions_batch_norms_and_several_axes():
    cr.seed(0)
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2))
    x = DRAW.standard_normal((3, 2, 4, 4))
    assert glass.layer_jacobian(model, x, "0").shape == (3, 12, 32)
    J = glass.network_jacobian(model, x)
    model.astype("float64").eval()
    np.testing.assert_allclose(J[1], differences(lambda v: model(v[None]).numpy(), x[1]), atol=1e-8)


def test_a_recurrent_layers_jacobian():
    """Of its first result, the states."""
    cr.seed(0)
    J = glass.layer_jacobian(nn.GRU(2, 3), DRAW.standard_normal((4, 5, 2)), "")
    assert J.shape == (4, 15, 10)
    blocks = J.reshape(4, 5, 3, 5, 2)
    assert not blocks[:, 1, :, 3].any() and blocks[:, 3, :, 1].any()  # the future does not act on the past


def test_a_layer_that_is_met_inside_the_model_is_given_what_the_model_gives_it():
    class Product(nn.Module):
        def forward(self, a, b):
            return a * b

    class Gate(nn.Module):
        def __init__(self):
            self.squash, self.product = nn.Tanh(), Product()

        def forward(self, x):
            return self.product(self.squash(x), x)

    x = DRAW.standard_normal((4, 3))
    np.testing.assert_allclose(glass.layer_jacobian(Gate(), x, "product"), x[:, :, None] * np.eye(3), atol=1e-14)


def test_nothing_of_the_model_is_changed():
    cr.seed(1)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))
    model[1].eval()
    before, modes = model.state_dict(), [m.training for m in model.modules()]
    first = glass.depth_jacobians(model, np.ones((2, 3)))
    second = glass.depth_jacobians(model, np.ones((2, 3)))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert all(np.array_equal(before[name], value) for name, value in model.state_dict().items())
    assert modes == [m.training for m in model.modules()]
    assert all(p.dtype == np.float32 and p.grad is None for p in model.parameters())
    assert "forward" not in vars(model[0])


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_a_model_of_another_library_is_computed_here(backend):
    pytest.importorskip(backend)
    model, x = deep(), DRAW.standard_normal((3, 6)).astype(np.float32)
    here = glass.network_jacobian(model, x), glass.hessian_trace(model, (x, np.arange(3)), probes=2).value
    there = model.to(backend)
    assert np.array_equal(glass.network_jacobian(there, x), here[0])
    assert glass.hessian_trace(there, (x, np.arange(3)), probes=2).value == here[1]
    assert type(next(there.parameters()).value).__module__.startswith(backend)


def test_products_along_depth():
    model, x = deep(), DRAW.standard_normal((5, 6))
    jacobians, whole = glass.depth_jacobians(model, x), glass.network_jacobian(model, x)
    up, down = glass.products_from_input(jacobians), glass.products_to_output(jacobians)
    assert list(up) == ["0", "1", "2", "3", "4", "5", "6"] == list(down)[::-1]
    np.testing.assert_allclose(up["6"], whole, atol=1e-14)
    np.testing.assert_allclose(down["0"], whole, atol=1e-14)
    np.testing.assert_allclose(up["1"], jacobians["1"] @ jacobians["0"], atol=1e-14)
    np.testing.assert_allclose(down["5"], jacobians["6"] @ jacobians["5"], atol=1e-14)


def test_the_bound_of_sigmoid_layers():
    """000 (3.23): the slopes of L layers multiply to at most 4⁻ᴸ; the norms of the weights come on top."""
    model, x = deep(nn.Sigmoid), DRAW.standard_normal((5, 6))
    jacobians = glass.depth_jacobians(model, x)
    slopes = np.prod([np.linalg.norm(jacobians[name], 2, axis=(1, 2)) for name in "135"], axis=0)
    assert (slopes <= 4.0**-3).all()
    weights = np.prod([np.linalg.norm(jacobians[name][0], 2) for name in "0246"])
    assert (np.linalg.norm(glass.network_jacobian(model, x), 2, axis=(1, 2)) <= slopes * weights).all()


# --- singular values -------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["exact", "lanczos", None])
@pytest.mark.parametrize(("m", "n"), [(7, 7), (4, 9), (9, 4), (1, 5), (5, 1)])
def test_all_values_of_small_matrices(m, n, method):
    A = DRAW.standard_normal((m, n))
    found = glass.singular_values(lambda x: cr.matmul(A, x), DRAW.standard_normal(n), method=method)
    np.testing.assert_allclose(found, np.linalg.svd(A, compute_uv=False), rtol=EXACT)


@pytest.mark.parametrize("k", [1, 3, 10])
def test_lanczos_agrees_with_the_svd(k):
    A = matrix(1.2 ** -np.arange(60.0), 300, 400)
    products = []

    def f(x):
        products.append(1)
        return cr.matmul(A, x)

    found = glass.singular_values(f, np.zeros(400), k)  # 300 rows: not small
    np.testing.assert_allclose(found, 1.2 ** -np.arange(float(k)), rtol=LANCZOS)
    assert len(products) < 150  # not 300, which the whole matrix takes


def test_of_a_network():
    cr.seed(0)
    model = cr.models.MLP(40, 60, 60, 50, activation="tanh").astype("float64")
    x = DRAW.standard_normal((1, 40))
    exact = np.linalg.svd(glass.network_jacobian(model, x)[0], compute_uv=False)
    np.testing.assert_allclose(glass.singular_values(model, x, method="exact"), exact, rtol=EXACT)
    np.testing.assert_allclose(glass.singular_values(model, x, 5, "lanczos"), exact[:5], rtol=LANCZOS)


@pytest.mark.parametrize(
    "values",
    [[1.0] * 8, [3.0, 3.0, 3.0, 1.0, 1.0], [2.0, 2.0, *np.linspace(1, 0.1, 30)], [5.0], [0.0], [1e-12, 5e-13]],
    ids=["orthogonal", "three times", "twice among many", "rank one", "zero", "tiny"],
)
def test_values_that_are_there_several_times_or_not_at_all(values):
    A = matrix(np.array(values), 50, 60)
    expected = np.r_[values, np.zeros(50)][:6]
    for seed in range(5):
        found = glass.singular_values(lambda x: cr.matmul(A, x), np.zeros(60), 6, "lanczos", key=Key(seed))
        np.testing.assert_allclose(found, expected, atol=LANCZOS * max(values))


def test_the_same_key_gives_the_same_bits():
    A = DRAW.standard_normal((30, 40))
    first, second = (glass.singular_values(lambda x: cr.matmul(A, x), np.zeros(40), 3, "lanczos") for _ in range(2))
    assert np.array_equal(first, second)
