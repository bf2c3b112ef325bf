"""Dense layers, activations, norms of features, containers: configurations of ours and PyTorch's."""

from itertools import pairwise

import numpy as np

from chainrule import nn
from tests.oracles.pairing import Draw, Formula, Pair, of_both, paired, torch

THRESHOLD = 1e9
"""PyTorch's softplus becomes x at 20 unless told otherwise; ours is exact everywhere."""


def some_shape(draw: Draw, axes=(1, 4)) -> tuple[int, ...]:
    return draw.shape(draw.size(*axes))


@paired("Identity", "Sigmoid", "LogSigmoid", "Tanh", "ReLU", "SELU", "GELU", "SiLU")
def activation(name, draw):
    return Pair(*of_both(name), (draw.normal(*some_shape(draw)) * 2,))


@paired("LeakyReLU", "ELU")
def activation_with_a_slope(name, draw):
    return Pair(*of_both(name, draw.real(0.01, 2)), (draw.normal(*some_shape(draw)) * 2,))


@paired("ReLU6", "Hardswish", "Softsign", "Tanhshrink", "Mish")
def further_activation(name, draw):
    return Pair(*of_both(name), (draw.normal(*some_shape(draw)) * draw.one_of(1, 4),))


@paired("Hardsigmoid")
def hardsigmoid(name, draw):
    """By formula: PyTorch's derivative is 1/6 in float32."""
    ours = nn.Hardsigmoid()
    return Pair(ours, Formula(ours, lambda p, x: (x / 6 + 0.5).clamp(0, 1)), (draw.normal(*some_shape(draw)) * 4,))


@paired("CELU")
def celu(name, draw):
    """By formula: PyTorch keeps 1/α in float32."""
    alpha = draw.real(0.2, 3)
    ours = nn.CELU(alpha)

    def formula(p, x):
        return torch.where(x > 0, x, alpha * torch.expm1(x.clamp(max=0) / alpha))

    return Pair(ours, Formula(ours, formula), (draw.normal(*some_shape(draw)) * 2,))


@paired("Hardtanh", "Threshold")
def with_two_numbers(name, draw):
    numbers = draw.real(-2, -0.1), draw.real(0.1, 2)
    return Pair(*of_both(name, *numbers), (draw.normal(*some_shape(draw)) * 2,))


@paired("Hardshrink", "Softshrink")
def shrinking(name, draw):
    limit = () if draw.chance(0.3) else (draw.real(0, 2),)
    return Pair(*of_both(name, *limit), (draw.normal(*some_shape(draw)) * 2,))


@paired("RReLU")
def drawn_slope(name, draw):
    """What is random in it is in the laws; here is evaluation, and training where there is one slope to draw."""
    x = draw.normal(*some_shape(draw))
    if draw.chance():
        return Pair(*of_both(name, 0.1, draw.real(0.2, 1)), (x,), phases=("eval",))
    slope = draw.real(0.1, 1)
    return Pair(*of_both(name, slope, slope), (x,))


@paired("GLU", "Softmin")
def along_an_axis(name, draw):
    shape = [2 * n for n in some_shape(draw)]
    axis = draw.size(-len(shape), len(shape) - 1)
    return Pair(*of_both(name, axis), (draw.normal(*shape) * 2,))


@paired("Unflatten")
def unflatten(name, draw):
    sizes, before = draw.shape(draw.size(1, 3)), draw.shape(draw.size(1, 2))
    shape = *before, int(np.prod(sizes)), *draw.shape(draw.size(0, 2))
    hidden = draw.size(0, len(sizes) - 1) if draw.chance() else None
    asked = tuple(-1 if i == hidden else n for i, n in enumerate(sizes))
    return Pair(*of_both(name, len(before), asked), (draw.normal(*shape),))


@paired("CosineSimilarity", "PairwiseDistance")
def compared(name, draw):
    """Vectors of two entries or more: the cosine of one alone is ±1, with a derivative of 0."""
    shape = draw.shape(draw.size(2, 4), 2)
    if name == "CosineSimilarity":
        layers = of_both(name, draw.size(-len(shape), len(shape) - 1))
    else:
        p, kept = draw.one_of(1.0, 2.0, 3.0), draw.chance()
        layers = nn.PairwiseDistance(p, keepdims=kept), torch.nn.PairwiseDistance(p, keepdim=kept)
    return Pair(*layers, (draw.normal(*shape), draw.normal(*shape)))


@paired("Bilinear")
def bilinear(name, draw):
    sizes, lead = draw.shape(3), some_shape(draw, (1, 3))
    inputs = draw.normal(*lead, sizes[0]), draw.normal(*lead, sizes[1])
    return Pair(*of_both(name, *sizes, bias=draw.chance(0.7)), inputs)


@paired("Softplus")
def softplus(name, draw):
    x = draw.normal(*some_shape(draw)) * draw.one_of(1, 30)
    return Pair(nn.Softplus(), torch.nn.Softplus(threshold=THRESHOLD), (x,))


@paired("GELUTanh")
def gelu_tanh(name, draw):
    return Pair(nn.GELUTanh(), torch.nn.GELU(approximate="tanh"), (draw.normal(*some_shape(draw)) * 2,))


STEPS = {
    "Sign": lambda p, x: torch.sign(x.detach()),
    "Step": lambda p, x: torch.heaviside(x.detach(), torch.ones((), dtype=x.dtype)),
    "StepStrict": lambda p, x: torch.heaviside(x.detach(), torch.zeros((), dtype=x.dtype)),
}


@paired(*STEPS)
def step(name, draw):
    ours = getattr(nn, name)()
    x = np.where(draw.mask(*(shape := some_shape(draw))), draw.normal(*shape), 0)  # with zeros
    return Pair(ours, Formula(ours, STEPS[name]), (x,))


@paired("PReLU")
def prelu(name, draw):
    shape = some_shape(draw, (2, 4))
    start = () if draw.chance() else (draw.real(0.1, 1),)
    return Pair(*of_both(name, draw.one_of(1, shape[1]), *start), (draw.normal(*shape),))


@paired("Softmax", "LogSoftmax")
def softmax(name, draw):
    shape = some_shape(draw)
    axis = draw.size(-len(shape), len(shape) - 1)
    return Pair(*of_both(name, axis), (draw.normal(*shape) * draw.one_of(1, 10),))


@paired("Flatten")
def flatten(name, draw):
    shape = some_shape(draw, (2, 5))
    start = () if draw.chance(0.3) else (draw.size(0, len(shape) - 1),)
    return Pair(*of_both(name, *start), (draw.normal(*shape),))


@paired("Dropout")
def dropout(name, draw):
    """What is random in it is in the laws; here is what is not: evaluation, and p of 0 and 1."""
    shape = some_shape(draw)
    if draw.chance():
        return Pair(*of_both(name, draw.real(0, 1)), (draw.normal(*shape),), phases=("eval",))
    return Pair(*of_both(name, float(draw.chance())), (draw.normal(*shape),))


@paired("Linear")
def linear(name, draw):
    n_in, n_out = draw.shape(2, most=20)
    return Pair(*of_both(name, n_in, n_out, bias=draw.chance(0.7)), (draw.normal(*some_shape(draw, (0, 3)), n_in),))


def normalised(draw):
    """A shape, and the last axes of it. Two features alone would be ±1 after a norm, with a derivative of 0."""
    shape = *draw.shape(draw.size(1, 3), 2), draw.size(3, 6)
    k = draw.size(1, len(shape) - 1)
    return shape, shape[-1] if k == 1 and draw.chance() else shape[-k:]


@paired("LayerNorm")
def layer_norm(name, draw):
    shape, last = normalised(draw)
    eps = () if draw.chance(0.3) else (draw.one_of(1e-5, 1e-3, 0.1),)
    return Pair(*of_both(name, last, *eps), (draw.normal(*shape) * 2 + 1,))


@paired("RMSNorm")
def rms_norm(name, draw):
    shape, last = normalised(draw)
    settings = {"eps": draw.one_of(None, 1e-6, 1e-2), "elementwise_affine": draw.chance(0.7)}
    return Pair(*of_both(name, last, **settings), (draw.normal(*shape) * 2,))


class Residual(torch.nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return x + self.inner(x)


def block(package, residual, n_in, n_out, name, norm):
    inner = package.Sequential(getattr(package, norm)(n_in), package.Linear(n_in, n_in))
    return [residual(inner), package.Linear(n_in, n_out), getattr(package, name)()]


@paired("Residual")
def shortcut(name, draw):
    n = draw.size()
    x = draw.normal(*some_shape(draw, (0, 2)), n)
    return Pair(nn.Residual(nn.Linear(n, n)), Residual(torch.nn.Linear(n, n)), (x,))


@paired("Sequential")
def sequential(name, draw):
    """Random nets: dense blocks with norms and activations, each block around a shortcut."""
    sizes = draw.shape(draw.size(2, 3), 4, 8)
    ours, theirs = [], []
    for n_in, n_out in pairwise(sizes):
        kinds = draw.one_of("Tanh", "GELU", "SiLU", "PReLU", "Sigmoid"), draw.one_of("BatchNorm1d", "LayerNorm")
        ours += block(nn, nn.Residual, n_in, n_out, *kinds)
        theirs += block(torch.nn, Residual, n_in, n_out, *kinds)
    x = draw.normal(draw.size(6, 9), sizes[0])
    return Pair(nn.Sequential(*ours), torch.nn.Sequential(*theirs), (x,), phases=("train", "eval"))


class Parallel(torch.nn.Module):
    def __init__(self, branches, joined):
        super().__init__()
        for i, branch in enumerate(branches):
            self.add_module(str(i), branch)
        self.joined = joined

    def forward(self, x):
        return self.joined([branch(x) for branch in self.children()])


@paired("Parallel")
def parallel(name, draw):
    join, axis, n_in, n_out = draw.one_of("sum", "concatenate"), draw.one_of(-1, 0, 1), draw.size(), draw.size()
    widths = [draw.size() if join == "concatenate" and axis == -1 else n_out for _ in range(draw.size(1, 3))]
    ours = nn.Parallel(*(nn.Linear(n_in, n) for n in widths), join=join, axis=axis)
    joined = sum if join == "sum" else lambda ys: torch.cat(ys, axis)
    theirs = Parallel([torch.nn.Linear(n_in, n) for n in widths], joined)
    return Pair(ours, theirs, (draw.normal(*draw.shape(2), n_in),))


@paired("Lambda")
def function(name, draw):
    k = draw.real(0.5, 2)
    ours = nn.Lambda(lambda x, y: (x * k + y) ** 2)
    shape = some_shape(draw)
    theirs = Formula(ours, lambda p, x, y: (x * k + y) ** 2)
    return Pair(ours, theirs, (draw.normal(*shape), draw.normal(*shape)))


@paired("StochasticDepth")
def stochastic_depth(name, draw):
    """As with dropout: evaluation, and p = 0."""
    ours = nn.StochasticDepth(0.0 if (training := draw.chance()) else draw.real(0, 1), draw.one_of("row", "batch"))
    phases = ("train",) if training else ("eval",)
    return Pair(ours, torch.nn.Identity(), (draw.normal(*some_shape(draw)),), phases=phases)


@paired("Highway")
def highway(name, draw):
    kind, features = draw.one_of("relu", "tanh", "gelu", "sigmoid"), draw.size()
    phi = torch.nn.functional.gelu if kind == "gelu" else getattr(torch, kind)

    def formula(p, x):
        t = torch.sigmoid(x @ p["gate_weight"].T + p["gate_bias"])
        return phi(x @ p["weight"].T + p["bias"]) * t + x * (1 - t)

    ours = nn.Highway(features, kind)
    return Pair(ours, Formula(ours, formula), (draw.normal(*some_shape(draw, (0, 3)), features),))
