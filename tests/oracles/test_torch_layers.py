"""Every layer against PyTorch: the same weights and inputs give the same outputs, gradients and state afterwards."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from tests.oracles.layer_pairs import CONFIGURATIONS, PAIRS, UNPAIRED, Pair, drawn
from tests.oracles.pairing import Draw

torch = pytest.importorskip("torch")

TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
"""‖ours − theirs‖ ≤ tolerance · max(‖theirs‖, 0.3) for every array. By norms, since an entry that is small beside
the others is a difference of terms of their size; both libraries round each at 1e-16, or 6e-8, and sum a few hundred
of them in different orders."""
CANCELLED = 0.3
"""Inputs, weights and cotangents have entries of about 1. A whole array may be what is left where terms of that size
cancel, as the gradient through a softmax or a norm that is nearly constant: of that only the rounding is compared."""
DTYPES = list(TOLERANCE)


def mapped(f, value):
    """f on every array of a tuple of arrays and tuples."""
    return tuple(mapped(f, v) for v in value) if isinstance(value, tuple) else f(value)


def leaves(value):
    if isinstance(value, (tuple, list)):
        return [leaf for v in value for leaf in leaves(v)]
    return [] if value is None else [value]


def agree(ours, theirs, tolerance, what):
    ours, theirs = np.asarray(ours), theirs.detach().numpy()
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype), what
    error, size = np.linalg.norm((ours - theirs).ravel()), np.linalg.norm(theirs.ravel())
    assert error <= tolerance * max(size, CANCELLED), f"{what}: {error:.2e} of {size:.2e}"


def randomise(layer, draw):
    """Weights that are nobody's start and keep the size of what passes: γ = 1 and β = 0 cannot pass by luck, and
    no softmax saturates, which would let a small difference in rounding grow from layer to layer."""
    for p in layer.parameters():
        p.assign(draw.normal(*p.shape) / np.sqrt(p.shape[-1] if len(p.shape) > 1 else 1))


def same_state(ours, theirs, dtype):
    ours.astype(dtype)
    theirs.to(getattr(torch, dtype))
    theirs.load_state_dict({name: torch.tensor(a) for name, a in ours.state_dict().items()}, strict=True)


def cast(array, dtype):
    return array.astype(dtype) if array.dtype.kind == "f" else array


def in_torch(value):
    return torch.tensor(value) if isinstance(value, np.ndarray) else value


def pulled_back(ours, theirs, draw, dtype):
    """Backward through a random cotangent of every result; False where the results depend on nothing."""
    bars = [cast(draw.normal(*y.shape), dtype) for y in ours]
    mine = sum((y * bar).sum() for y, bar in zip(ours, bars, strict=True))
    other = sum((z * torch.tensor(bar)).sum() for z, bar in zip(theirs, bars, strict=True))
    if not other.requires_grad:
        return False
    mine.backward()
    other.backward()
    return True


def gradients_agree(pair, mine, others, tolerance, what):
    for i, (a, b) in enumerate(zip(leaves(mine), leaves(others), strict=True)):
        if b.requires_grad:
            agree(a.grad.data, b.grad, tolerance, f"{what}, gradient of input {i}")
    named = dict(pair.theirs.named_parameters())
    assert {name for name, _ in pair.ours.named_parameters()} == set(named)
    for name, p in pair.ours.named_parameters():
        agree(p.grad.data, named[name].grad, tolerance, f"{what}, gradient of {name}")


def compare(pair: Pair, draw: Draw, dtype: str, what: str) -> None:
    """Outputs, gradients of all inputs and parameters, and the state after each phase."""
    randomise(pair.ours, draw)
    same_state(pair.ours, pair.theirs, dtype)
    for phase in pair.phases:
        for layer in (pair.ours, pair.theirs):
            layer.train(phase == "train")
            layer.zero_grad()
        one_phase(pair, draw, dtype, f"{what}, {phase}")


def one_phase(pair, draw, dtype, what):
    tolerance = TOLERANCE[dtype]
    arrays = mapped(lambda a: cast(a, dtype), pair.inputs)
    mine = given(arrays, lambda a: cr.tensor(a, requires_grad=True) if a.dtype.kind == "f" else a)
    others = given(arrays, lambda a: torch.tensor(a, requires_grad=a.dtype.kind == "f"))
    keywords = {k: cast(v, dtype) if isinstance(v, np.ndarray) else v for k, v in pair.given.items()}
    theirs = keywords if pair.theirs_given is None else pair.theirs_given
    ys = leaves((pair.our_call or called)(pair.ours, *mine, **keywords))
    zs = leaves((pair.call or called)(pair.theirs, *others, **{k: in_torch(v) for k, v in theirs.items()}))
    assert len(ys) == len(zs), what
    for i, (y, z) in enumerate(zip(ys, zs, strict=True)):
        agree(y.data if isinstance(y, cr.Tensor) else y, z, tolerance, f"{what}, output {i}")
    if pulled_back(ys, zs, draw, dtype):
        gradients_agree(pair, mine, others, tolerance, what)
    state = pair.theirs.state_dict()
    assert pair.ours.state_dict().keys() == state.keys()
    for name, array in pair.ours.state_dict().items():
        agree(array, state[name], tolerance, f"{what}, {name}")


def called(layer, *inputs, **keywords):
    return layer(*inputs, **keywords)


def given(arrays, wrap):
    """The inputs as tensors, one for each array: the same array twice is the same tensor."""
    seen = {id(a): wrap(a) for a in leaves(arrays)}
    return mapped(lambda a: seen[id(a)], arrays)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PAIRS)
def test_layers(name, dtype):
    for i in range(CONFIGURATIONS):
        pair = drawn(name, i)
        compare(pair, Draw(name, i, "weights"), dtype, f"{name} {i}: {pair.ours!r}")


def test_every_layer_has_a_pair_or_a_reason():
    layers = {n for n in nn.__all__ if isinstance(getattr(nn, n), type) and issubclass(getattr(nn, n), nn.Module)}
    named = {name.split(":")[0] for name in PAIRS}
    assert layers == named | UNPAIRED.keys()
    assert not named & UNPAIRED.keys()


def test_linear_on_an_empty_batch():
    ours, theirs = nn.Linear(3, 2), torch.nn.Linear(3, 2)
    compare(Pair(ours, theirs, (np.zeros((0, 3)),)), Draw("empty"), "float32", "empty batch")


def test_a_tied_weight_loads_from_both_of_its_names():
    theirs = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Tanh(), torch.nn.Linear(4, 4))
    theirs[2].weight = theirs[0].weight
    ours = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4))
    ours[2].weight = ours[0].weight
    ours.load_state_dict(theirs.state_dict())  # PyTorch writes 0.weight and 2.weight
    for name, array in ours.state_dict().items():
        np.testing.assert_array_equal(array, theirs.state_dict()[name].numpy(), strict=True)
    y, z = ours(x := Draw("tied").normal(3, 4).astype(np.float32)), theirs(torch.tensor(x))
    agree(y.data, z, TOLERANCE["float32"], "output")
    y.sum().backward()
    z.sum().backward()
    agree(ours[0].weight.grad.data, theirs[0].weight.grad, TOLERANCE["float32"], "gradient of the tied weight")


def test_a_checkpoint_is_pytorchs():
    from torch.utils.checkpoint import checkpoint

    options = {"input_size": 3, "hidden_size": 4, "batch_first": True}
    pair = Pair(
        nn.LSTM(**options),
        torch.nn.LSTM(**options),
        (Draw("kept").normal(2, 5, 3),),
        call=lambda layer, x: checkpoint(layer, x, use_reentrant=False),
        our_call=lambda layer, x: cr.checkpoint(layer)(x),
    )
    compare(pair, Draw("kept weights"), "float64", "checkpoint")


def test_a_convolution_net_goes_on_as_pytorchs():
    def net(package):
        layers = [package.Conv2d(1, 4, 3, padding=1), package.BatchNorm2d(4), package.ReLU(), package.MaxPool2d(2)]
        layers += [package.Conv2d(4, 6, 3, groups=2), package.GroupNorm(3, 6), package.ReLU()]
        return package.Sequential(*layers, package.AdaptiveAvgPool2d(2), package.Flatten(), package.Linear(24, 3))

    x = Draw("net").normal(5, 1, 11, 12)
    pair = Pair(net(nn), net(torch.nn), (x,), phases=("train", "train", "eval"))
    compare(pair, Draw("net weights"), "float64", "a convolution net")
