"""Weights start as PyTorch's do: the same bounds, and where many are drawn the same spread."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn

torch = pytest.importorskip("torch")


def test_linear():
    """Uniform on ±1/√n_in for weight and bias: the same bound, the spread within the sampling error."""
    cr.seed(0)
    ours, theirs = nn.Linear(50, 400), torch.nn.Linear(50, 400)
    for mine, other in ((ours.weight, theirs.weight), (ours.bias, theirs.bias)):
        bound = 1 / np.sqrt(50)
        assert float(abs(mine).max()) <= bound
        assert float(other.detach().abs().max()) <= bound
        error = 5 * np.sqrt(0.8 / mine.size) * bound**2 / 3  # 5σ of a sample variance; uniform: κ − 1 = 0.8
        assert abs(float(mine.var()) - bound**2 / 3) < error


@pytest.mark.parametrize("kind", ["Conv", "ConvTranspose"])
def test_convolutions(kind):
    """Uniform on ±1/√(axis 1 · kernel) for weight and bias."""
    cr.seed(0)
    ours, theirs = getattr(nn, f"{kind}2d")(8, 64, 3), getattr(torch.nn, f"{kind}2d")(8, 64, 3)
    bound = 1 / np.sqrt(ours.weight.shape[1] * 9)
    for mine, other in ((ours.weight, theirs.weight), (ours.bias, theirs.bias)):
        for numbers in (np.abs(mine.data), other.detach().abs().numpy()):
            assert 0.9 * bound < numbers.max() <= bound


def test_attention():
    """Uniform on ±√(6/(E + 3E)): the bound is the same and nearly reached."""
    ours, theirs = nn.MultiheadAttention(32, 4), torch.nn.MultiheadAttention(32, 4)
    bound = np.sqrt(6 / (32 + 96))
    for weight in (ours.in_proj_weight.data, theirs.in_proj_weight.detach().numpy()):
        assert 0.99 * bound < np.abs(weight).max() <= bound * (1 + 1e-6)
    assert not ours.in_proj_bias.data.any()
    assert not ours.out_proj.bias.data.any()
