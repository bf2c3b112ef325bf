"""Scaled dot-product attention, plain and blockwise, against PyTorch's: values and gradients, over drawn masks."""

import pytest

import chainrule as cr
from tests.oracles.pairing import Draw
from tests.oracles.test_torch_layers import DTYPES, TOLERANCE, agree, cast

torch = pytest.importorskip("torch")
functional = torch.nn.functional


def drawn_mask(draw, form, batch, heads, t, s):
    """None, booleans, or floats; whole or to be repeated. The blockwise form takes booleans of (T, S)."""
    if form == "blockwise":
        return draw.one_of(None, draw.mask(t, s))
    shape = draw.one_of((t, s), (batch, 1, 1, s), (batch, heads, t, s))
    return draw.one_of(None, draw.mask(*shape), draw.normal(*shape))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", ["plain", "blockwise"])
def test_scaled_dot_product_attention(form, dtype):
    for i in range(40):
        draw = Draw("attention", form, i)
        batch, heads, t, s, d, width = draw.shape(6, most=7)
        groups = draw.one_of(1, 1, 2, 3)
        mask = drawn_mask(draw, form, batch, heads * groups, t, s)
        mask = mask if mask is None else cast(mask, dtype)
        causal, scale = mask is None and draw.chance(), draw.one_of(None, 0.3)
        shapes = (batch, heads * groups, t, d), (batch, heads, s, d), (batch, heads, s, width)
        arrays = [cast(draw.normal(*shape), dtype) for shape in shapes]
        ours = [cr.tensor(a, requires_grad=True) for a in arrays]
        theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
        attend = cr.scaled_dot_product_attention if form == "plain" else cr.blockwise_attention
        y = attend(*ours, mask=mask, causal=causal, scale=scale, **({"block": 3} if form == "blockwise" else {}))
        mask = None if mask is None else torch.tensor(mask)
        z = functional.scaled_dot_product_attention(*theirs, mask, 0.0, causal, scale=scale, enable_gqa=groups > 1)
        agree(y.data, z, TOLERANCE[dtype], f"{form} {i}, output")
        bar = cast(draw.normal(*y.shape), dtype)
        y.backward(bar)
        z.backward(torch.tensor(bar))
        for mine, other, name in zip(ours, theirs, "qkv", strict=True):
            agree(mine.grad.data, other.grad, TOLERANCE[dtype], f"{form} {i}, gradient of {name}")
