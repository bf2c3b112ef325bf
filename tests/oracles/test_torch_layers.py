"""Every layer against PyTorch: the same weights and inputs give the same outputs and the same gradients."""

from itertools import pairwise

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.base.keys import Key
from tests.laws.image_layers import IMAGE_LAYERS
from tests.laws.recurrent_layers import RECURRENT_LAYERS
from tests.laws.sequence_layers import OTHERS, SEQUENCE_LAYERS

torch = pytest.importorskip("torch")

DOUBLE = 1e-10
"""Relative, in float64: both sides round at 1e-16 and sum a few hundred terms, in different orders."""
SINGLE = 1e-5
"""Relative, in float32, whose rounding unit is 6e-8."""
TOLERANCE = {"float64": DOUBLE, "float32": SINGLE}

CONFIGURATIONS = range(20)
DTYPES = ["float64", "float32"]

STATELESS = {
    "Identity": (nn.Identity, torch.nn.Identity),
    "Sigmoid": (nn.Sigmoid, torch.nn.Sigmoid),
    "LogSigmoid": (nn.LogSigmoid, torch.nn.LogSigmoid),
    "Tanh": (nn.Tanh, torch.nn.Tanh),
    "ReLU": (nn.ReLU, torch.nn.ReLU),
    "SELU": (nn.SELU, torch.nn.SELU),
    "GELU": (nn.GELU, torch.nn.GELU),
    "GELUTanh": (nn.GELUTanh, lambda: torch.nn.GELU(approximate="tanh")),
    "SiLU": (nn.SiLU, torch.nn.SiLU),
    "Softplus": (nn.Softplus, lambda: torch.nn.Softplus(threshold=1e9)),  # PyTorch switches to x at 20
    "Sign": (nn.Sign, lambda: Function(lambda x: torch.sign(x.detach()))),
    "Step": (nn.Step, lambda: Function(lambda x: torch.heaviside(x.detach(), torch.ones((), dtype=x.dtype)))),
    "StepStrict": (nn.StepStrict, lambda: Function(lambda x: torch.heaviside(x.detach(), 0 * x.detach()))),
}
DRAWN = {
    "LeakyReLU",
    "ELU",
    "PReLU",
    "Softmax",
    "LogSoftmax",
    "Flatten",
    "Linear",
    "BatchNorm1d",
    "LayerNorm",
}
"""Layers with settings, each in a test of its own below."""
ELSEWHERE = (
    {"Dropout", "Residual", "Sequential", "Module", "Activation"}
    | IMAGE_LAYERS.keys()
    | SEQUENCE_LAYERS.keys()
    | OTHERS
)
ELSEWHERE |= {*RECURRENT_LAYERS, "Highway", "Ensemble", "LowPrecision"}
"""Random, or made of others; Residual and Sequential are in the nets below, Dropout in the laws;
layers on images in `test_torch_images`, attention and embeddings in `test_torch_attention`."""


class Function(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def draws(*path):
    return (Key(0) / "torch layers" / "/".join(map(str, path))).generator()


def shape_of(rng, axes, least=1, most=7):
    return tuple(int(n) for n in rng.integers(least, most, axes))


def numbers(rng, shape, dtype):
    """Normal numbers, away from 0, where ReLU and its kin have a kink."""
    x = rng.standard_normal(shape) * 2
    return np.where(np.abs(x) < 1e-3, 0.5, x).astype(dtype)


def agree(ours, theirs, tolerance, what):
    ours, theirs = np.asarray(ours), theirs.detach().numpy()
    assert ours.shape == theirs.shape, what
    assert ours.dtype == theirs.dtype, what
    scale = max(1.0, float(np.abs(theirs).max(initial=0)))
    assert np.abs(ours - theirs).max(initial=0) <= tolerance * scale, what


def randomise(ours, rng):
    """Weights that are nobody's start, so that a layer with γ = 1 and β = 0 cannot pass by luck."""
    for p in ours.parameters():
        p.assign(rng.standard_normal(p.shape))


def same_state(ours, theirs, dtype):
    ours.astype(dtype)
    theirs.to(getattr(torch, dtype))
    theirs.load_state_dict({name: torch.tensor(a) for name, a in ours.state_dict().items()}, strict=True)


def compare(ours, theirs, x, dtype, rng):
    """Forward and backward, through a random cotangent; state afterwards."""
    mine, other = cr.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    ours.zero_grad()
    theirs.zero_grad()
    y, z = ours(mine), theirs(other)
    agree(y.data, z, TOLERANCE[dtype], "output")
    if z.requires_grad:
        bar = numbers(rng, y.shape, dtype)
        y.backward(bar)
        z.backward(torch.tensor(bar))
        agree(mine.grad.data, other.grad, TOLERANCE[dtype], "gradient of the input")
        named = dict(theirs.named_parameters())
        assert {name for name, _ in ours.named_parameters()} == set(named)
        for name, p in ours.named_parameters():
            agree(p.grad.data, named[name].grad, TOLERANCE[dtype], f"gradient of {name}")
    state = theirs.state_dict()
    assert ours.state_dict().keys() == state.keys()
    for name, array in ours.state_dict().items():
        agree(array, state[name], TOLERANCE[dtype], name)


def test_every_layer_is_compared():
    layers = {n for n in nn.__all__ if isinstance(getattr(nn, n), type) and issubclass(getattr(nn, n), nn.Module)}
    assert layers == STATELESS.keys() | DRAWN | ELSEWHERE


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", STATELESS)
def test_activations(name, dtype):
    make_ours, make_theirs = STATELESS[name]
    for i in CONFIGURATIONS:
        rng = draws(name, i)
        compare(make_ours(), make_theirs(), numbers(rng, shape_of(rng, i % 4 + 1), dtype), dtype, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["LeakyReLU", "ELU"])
def test_activations_with_a_slope(name, dtype):
    for i in CONFIGURATIONS:
        rng = draws(name, i)
        setting = float(rng.uniform(0.01, 2))
        compare(
            getattr(nn, name)(setting),
            getattr(torch.nn, name)(setting),
            numbers(rng, shape_of(rng, i % 4 + 1), dtype),
            dtype,
            rng,
        )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("i", CONFIGURATIONS)
def test_prelu(i, dtype):
    rng = draws("prelu", i)
    shape = shape_of(rng, i % 3 + 2)
    channels = 1 if i % 2 else shape[1]
    ours, theirs = nn.PReLU(channels), torch.nn.PReLU(channels)
    randomise(ours, rng)
    same_state(ours, theirs, dtype)
    compare(ours, theirs, numbers(rng, shape, dtype), dtype, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["Softmax", "LogSoftmax"])
def test_softmax(name, dtype):
    for i in CONFIGURATIONS:
        rng = draws(name, i)
        axes = i % 4 + 1
        axis = int(rng.integers(-axes, axes))
        x = numbers(rng, shape_of(rng, axes), dtype) * 10
        compare(getattr(nn, name)(axis), getattr(torch.nn, name)(axis), x, dtype, rng)


@pytest.mark.parametrize("dtype", DTYPES)
def test_flatten(dtype):
    for i in CONFIGURATIONS:
        rng = draws("flatten", i)
        axes = i % 4 + 2
        start = int(rng.integers(0, axes))
        x = numbers(rng, shape_of(rng, axes), dtype)
        compare(nn.Flatten(start), torch.nn.Flatten(start), x, dtype, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("i", range(40))
def test_linear(i, dtype):
    rng = draws("linear", i)
    n_in, n_out = shape_of(rng, 2, most=20)
    bias = bool(i // 4 % 2)
    ours, theirs = nn.Linear(n_in, n_out, bias=bias), torch.nn.Linear(n_in, n_out, bias=bias)
    randomise(ours, rng)
    same_state(ours, theirs, dtype)
    compare(ours, theirs, numbers(rng, (*shape_of(rng, i % 4), n_in), dtype), dtype, rng)


def test_linear_on_an_empty_batch():
    ours, theirs = nn.Linear(3, 2), torch.nn.Linear(3, 2)
    same_state(ours, theirs, "float32")
    compare(ours, theirs, np.zeros((0, 3), np.float32), "float32", draws("empty"))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("i", CONFIGURATIONS)
def test_layer_norm(i, dtype):
    rng = draws("layer norm", i)
    shape = shape_of(rng, i % 3 + 2, least=2)
    k = int(rng.integers(1, len(shape)))
    settings = (shape[-k:] if k > 1 or i % 2 else shape[-1], float(rng.choice([1e-5, 1e-3, 0.1])))
    ours, theirs = nn.LayerNorm(*settings), torch.nn.LayerNorm(*settings)
    randomise(ours, rng)
    same_state(ours, theirs, dtype)
    compare(ours, theirs, numbers(rng, shape, dtype), dtype, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("i", CONFIGURATIONS)
def test_batch_norm_over_several_steps_and_then_in_evaluation(i, dtype):
    rng = draws("batch norm", i)
    n, features, length = shape_of(rng, 3, least=3)
    settings = {"eps": float(rng.choice([1e-5, 1e-3])), "momentum": float(rng.choice([0.1, 0.01, 0.5, 1.0]))}
    ours, theirs = nn.BatchNorm1d(features, **settings), torch.nn.BatchNorm1d(features, **settings)
    randomise(ours, rng)
    same_state(ours, theirs, dtype)
    shape = (n, features) if i % 2 else (n, features, length)
    for _ in range(4):
        compare(ours, theirs, numbers(rng, shape, dtype) + 3, dtype, rng)
    ours.eval()
    theirs.eval()
    compare(ours, theirs, numbers(rng, (1, *shape[1:]), dtype), dtype, rng)


class TorchResidual(torch.nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return x + self.inner(x)


def nets(rng):
    """The same random net twice: dense blocks with norms and activations, some around a shortcut."""
    sizes = shape_of(rng, 4, least=2, most=10)
    ours, theirs = [], []
    for n_in, n_out in pairwise(sizes):
        name = str(rng.choice(["Tanh", "GELU", "SiLU", "PReLU", "Sigmoid"]))
        norm = str(rng.choice(["BatchNorm1d", "LayerNorm"]))
        for package, net, residual in ((nn, ours, nn.Residual), (torch.nn, theirs, TorchResidual)):
            inner = package.Sequential(getattr(package, norm)(n_in), package.Linear(n_in, n_in))
            net += [residual(inner), package.Linear(n_in, n_out), getattr(package, name)()]
    return nn.Sequential(*ours), torch.nn.Sequential(*theirs)


@pytest.mark.parametrize("i", CONFIGURATIONS)
def test_whole_nets(i):
    rng = draws("nets", i)
    ours, theirs = nets(rng)
    randomise(ours, rng)
    same_state(ours, theirs, "float64")
    features = next(m for m in ours.modules() if isinstance(m, nn.Linear)).in_features
    for _ in range(2):
        compare(ours, theirs, numbers(rng, (6, features), "float64"), "float64", rng)


def test_state_goes_both_ways():
    ours, theirs = nets(draws("state"))
    state = theirs.state_dict()
    assert ours.state_dict().keys() == state.keys()
    ours.load_state_dict(state)
    for name, array in ours.state_dict().items():
        np.testing.assert_array_equal(array, state[name].numpy(), strict=True)
    randomise(ours, draws("state", "new"))
    theirs.load_state_dict({name: torch.tensor(a) for name, a in ours.state_dict().items()}, strict=True)
    for name, p in theirs.named_parameters():
        np.testing.assert_array_equal(ours.state_dict()[name], p.detach().numpy(), strict=True)


def test_a_tied_weight_loads_from_both_of_its_names():
    theirs = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Tanh(), torch.nn.Linear(4, 4))
    theirs[2].weight = theirs[0].weight
    ours = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4))
    ours[2].weight = ours[0].weight
    ours.load_state_dict(theirs.state_dict())  # PyTorch writes 0.weight and 2.weight
    ours.astype("float64")
    compare_tied(ours, theirs.double())


def compare_tied(ours, theirs):
    rng = draws("tied")
    x = numbers(rng, (3, 4), "float64")
    y, z = ours(x), theirs(torch.tensor(x))
    agree(y.data, z, DOUBLE, "output")
    y.sum().backward()
    z.sum().backward()
    agree(ours[0].weight.grad.data, theirs[0].weight.grad, DOUBLE, "gradient of the tied weight")


def test_linear_starts_as_pytorch_does():
    """Uniform on ±1/√n_in for weight and bias: the same bound, the spread within the sampling error."""
    cr.seed(0)
    ours, theirs = nn.Linear(50, 400), torch.nn.Linear(50, 400)
    for mine, other in ((ours.weight, theirs.weight), (ours.bias, theirs.bias)):
        bound = 1 / np.sqrt(50)
        assert float(abs(mine).max()) <= bound
        assert float(other.detach().abs().max()) <= bound
        error = 5 * np.sqrt(0.8 / mine.size) * bound**2 / 3  # 5σ of a sample variance; uniform: κ − 1 = 0.8
        assert abs(float(mine.var()) - bound**2 / 3) < error
