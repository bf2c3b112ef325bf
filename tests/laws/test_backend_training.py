"""The same training on every backend: seeds, data order, optimisers, half precision, a compiled step."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import optim

FLOAT32 = 2e-5
"""Thirty steps of float32 arithmetic in another order."""

X = np.random.default_rng(0).standard_normal((32, 8)).astype(np.float32)
Y = np.random.default_rng(1).integers(0, 3, 32)
OPTIMISERS = sorted(optim.OPTIMIZERS)


@pytest.fixture(params=["torch", "jax"])
def backend(request):
    pytest.importorskip(request.param)
    return request.param


def mlp():
    cr.seed(0)
    return cr.nn.Sequential(cr.nn.Linear(8, 16), cr.nn.Tanh(), cr.nn.Dropout(0.2), cr.nn.Linear(16, 3))


def trained(name, kind, steps=30, **settings):
    with cr.use(name):
        model = mlp()
        optimizer = kind(model, **settings)
        losses = []
        for _ in range(steps):
            optimizer.zero_grad()
            loss = cr.losses.cross_entropy(model(X), Y)
            loss.backward()
            optim.clip_grad_norm(model, 1.0)
            optimizer.step()
            losses.append(float(loss))
        return losses, model, optimizer


@pytest.mark.parametrize("kind", OPTIMISERS)
def test_every_optimiser_gives_the_losses_of_numpy(backend, kind):
    wanted, _, on_numpy = trained("numpy", optim.OPTIMIZERS[kind], lr=0.01)
    got, model, optimizer = trained(backend, optim.OPTIMIZERS[kind], lr=0.01)
    np.testing.assert_allclose(got, wanted, rtol=FLOAT32)
    assert wanted[-1] < wanted[0]
    assert cr.backends.backend_of(model[0].weight.data).name == backend
    arrays = on_numpy.state_dict()["arrays"]
    for name, array in optimizer.state_dict()["arrays"].items():
        np.testing.assert_allclose(array, arrays[name], rtol=1e-2, atol=1e-4)
    optimizer.load_state_dict(on_numpy.state_dict())
    for name, array in optimizer.state_dict()["arrays"].items():
        np.testing.assert_array_equal(array, arrays[name])


def test_equal_seeds_give_equal_weights(backend):
    with cr.use(backend):
        there = mlp().state_dict()
    for name, array in mlp().state_dict().items():
        np.testing.assert_array_equal(there[name], array)


def test_a_model_moves_with_its_weights_and_buffers(backend):
    model = cr.nn.Sequential(cr.nn.Linear(8, 4), cr.nn.BatchNorm1d(4))
    before = model.state_dict()
    wanted = model.eval()(X).numpy()
    moved = model.to(backend)
    assert moved is model
    assert {cr.backends.backend_of(p.data).name for p in cr.nn.state.parts(model).values()} == {backend}
    np.testing.assert_allclose(model(X).numpy(), wanted, rtol=1e-5, atol=1e-6)
    model.train()(X)  # running statistics follow there
    model.load_state_dict(before)
    np.testing.assert_array_equal(model.to("numpy").state_dict()["1.running_mean"], before["1.running_mean"])


def test_fit_trains_on_a_backend(backend):
    pytest.importorskip("rich")
    wanted = cr.fit(mlp(), (X, Y), epochs=2, batch_size=8, seed=3, progress=False)
    with cr.use(backend):
        got = cr.fit(mlp(), (X, Y), epochs=2, batch_size=8, seed=3, progress=False)
    np.testing.assert_allclose(got["train_loss"], wanted["train_loss"], rtol=FLOAT32)


def test_the_default_is_restored():
    pytest.importorskip("torch")
    with cr.use("torch"):
        assert type(cr.zeros(2).data).__name__ == "Tensor"
        with cr.use("numpy"):
            assert isinstance(cr.tensor([1.0]).data, np.ndarray)
        assert type(cr.nn.Parameter([1.0]).data).__name__ == "Tensor"
    assert isinstance(cr.randn(2).data, np.ndarray)


def test_gradients_accumulate_and_may_be_differentiated_again(backend):
    with cr.use(backend):
        w = cr.nn.Parameter([1.0, 2.0])
        (w * w).sum().backward()
        (w * w).sum().backward()
        np.testing.assert_array_equal(w.grad.numpy(), [4, 8])
        x = cr.tensor([3.0], requires_grad=True)
        (x * x * x).sum().backward(create_graph=True)
        x.grad.sum().backward()
        np.testing.assert_allclose(x.grad.numpy(), [27 + 18])


def test_nothing_of_torch_autograd_is_used():
    torch = pytest.importorskip("torch")
    x = torch.ones(3, requires_grad=True)
    y = cr.tanh(x * 2)
    g = cr.grad(lambda v: cr.sum(cr.softmax(v) * v))(x)
    assert not y.requires_grad
    assert not g.requires_grad
    assert type(y) is type(g) is torch.Tensor


def test_a_whole_step_is_compiled_by_jax():
    jax = pytest.importorskip("jax")
    with cr.use("jax"):
        model = cr.nn.Sequential(cr.nn.Linear(8, 16), cr.nn.ReLU(), cr.nn.BatchNorm1d(16).eval(), cr.nn.Linear(16, 3))
    weights = {name: p.data for name, p in model.named_parameters()}

    def step(weights, x, y):
        def loss(w):
            return cr.losses.cross_entropy(cr.nn.functional_call(model, w, x), y)

        value, bars = cr.value_and_grad(loss)(weights)
        return value, {name: w - 0.1 * bars[name] for name, w in weights.items()}

    compiled = jax.jit(step)
    x, y = jax.numpy.asarray(X), jax.numpy.asarray(Y)
    slow = fast = weights
    for _ in range(3):
        (a, slow), (b, fast) = step(slow, x, y), compiled(fast, x, y)
        assert isinstance(b, jax.Array)
        np.testing.assert_allclose(a, b, rtol=FLOAT32)
    assert set(fast) == set(weights)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_trains_with_whole_weights(backend, dtype):
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes")
    with cr.use(backend):
        model = cr.nn.LowPrecision(mlp().eval(), dtype)
        optimizer, scale = optim.Adam(model, lr=0.01), optim.LossScale(2.0**12)
        losses = []
        for _ in range(40):
            loss = cr.losses.cross_entropy(model(X), Y)
            scale.backward(loss)
            assert scale.step(optimizer)
            losses.append(float(loss))
    assert losses[-1] < 0.8 * losses[0]
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}


def test_half_precision_has_the_dtypes_it_says(backend):
    pytest.importorskip("ml_dtypes")
    with cr.use(backend):
        for name in ("float16", "bfloat16", "float32", "int32", "bool"):
            x = cr.ones(2, 2).astype(name)
            assert x.dtype.name == name
            assert x.numpy().dtype == x.dtype
            assert cr.tensor([1.0, 0.0], dtype=name).dtype.name == name
        h = cr.tensor([1.5, -2.0], dtype="bfloat16", requires_grad=True)
        (cr.tanh(h) * 2 + h).sum().backward()
        assert h.grad.dtype.name == "bfloat16"
        mixed = h + cr.tensor([1.0, 1.0], dtype="float16")
        assert mixed.dtype.name == "float32"
