"""Attention and transformer layers against PyTorch: the same weights, inputs and masks, forward and backward."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from tests.oracles.test_torch_layers import TOLERANCE, agree, draws, numbers, same_state, shape_of

torch = pytest.importorskip("torch")
functional = torch.nn.functional
DTYPES = ["float64", "float32"]


def some(rng, shape):
    """A boolean mask with a True in every row."""
    mask = rng.random(shape) < 0.6
    mask[..., 0] |= ~mask.any(-1)
    return mask


def drawn_mask(rng, i, batch, heads, t, s, dtype):
    """A mask of each kind in turn: none, boolean, of floats, whole or to be repeated."""
    shapes = [(t, s), (batch, 1, 1, s), (batch, heads, t, s)]
    if i % 3 == 0:
        return None
    shape = shapes[i // 3 % 3]
    return some(rng, shape) if i % 3 == 1 else numbers(rng, shape, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("i", range(40))
@pytest.mark.parametrize("form", ["plain", "blockwise"])
def test_scaled_dot_product_attention(form, i, dtype):
    rng = draws("attention", form, i)
    batch, heads, t, s, d, width = shape_of(rng, 6)
    groups = int(rng.integers(1, 4)) if i % 4 == 0 else 1
    mask = drawn_mask(rng, i, batch, heads * groups, t, s, dtype)
    if form == "blockwise" and mask is not None and mask.dtype != bool:
        mask = some(rng, (t, s))
    settings = {"scale": None if i % 5 else 0.3}
    causal = mask is None and i % 2 == 0
    shapes = (batch, heads * groups, t, d), (batch, heads, s, d), (batch, heads, s, width)
    arrays = [numbers(rng, shape, dtype) for shape in shapes]
    ours = [cr.tensor(a, requires_grad=True) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    attend, block = (cr.scaled_dot_product_attention, {}) if form == "plain" else (cr.blockwise_attention, {"block": 3})
    y = attend(*ours, mask=mask, causal=causal, **settings, **block)
    z = functional.scaled_dot_product_attention(
        *theirs, None if mask is None else torch.tensor(mask), is_causal=causal, enable_gqa=groups > 1, **settings
    )
    agree(y.data, z, TOLERANCE[dtype], "output")
    bar = numbers(rng, y.shape, dtype)
    y.backward(bar)
    z.backward(torch.tensor(bar))
    for mine, other, name in zip(ours, theirs, "qkv", strict=True):
        agree(mine.grad.data, other.grad, TOLERANCE[dtype], name)


def pulled(ours, theirs, mine, others, results, dtype, rng):
    """The same cotangent through both, then every gradient compared."""
    y, z = results
    agree(y.data, z, TOLERANCE[dtype], "output")
    bar = numbers(rng, y.shape, dtype)
    y.backward(bar)
    z.backward(torch.tensor(bar))
    for a, b in zip(mine, others, strict=True):
        agree(a.grad.data, b.grad, TOLERANCE[dtype], "gradient of an input")
    named = dict(theirs.named_parameters())
    assert {name for name, _ in ours.named_parameters()} == set(named)
    for name, p in ours.named_parameters():
        agree(p.grad.data, named[name].grad, TOLERANCE[dtype], f"gradient of {name}")


def both(arrays):
    return [cr.tensor(a, requires_grad=True) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]


def masks(rng, i, n, t, s, heads, dtype):
    """attn_mask and key_padding_mask as a layer takes them: True ignores."""
    attn = [None, ~some(rng, (t, s)), numbers(rng, (t, s), dtype), numbers(rng, (n * heads, t, s), dtype)][i % 4]
    padding = None
    if i % 5 in (1, 3):
        padding = rng.random((n, s)) < 0.4
        padding[:, 0] = False
        if attn is not None and attn.dtype == bool:
            attn[:, 0] = False
        if attn is not None and attn.dtype != bool:  # PyTorch wants both masks of one kind
            padding = np.where(padding, -np.inf, 0).astype(dtype)
    return {"attn_mask": attn, "key_padding_mask": padding}


def randomise(ours, rng):
    """Weights that keep the size of what passes, as trained ones do: with others softmax saturates, and a small
    difference in rounding grows from layer to layer."""
    for p in ours.parameters():
        p.assign(rng.standard_normal(p.shape) / np.sqrt(p.shape[-1] if len(p.shape) > 1 else 1) * 0.7)


def in_torch(keywords):
    return {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in keywords.items()}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("i", range(40))
def test_multihead_attention(i, dtype):
    rng = draws("multihead", i)
    n, t, s, heads, d = shape_of(rng, 5, most=5)
    width, own = heads * d, i % 2 == 0
    s = t if own else s
    sizes = {} if i % 3 else {"kdim": width + 1, "vdim": width + 2}
    sizes, first = ({} if own else sizes), bool(i // 2 % 2)
    ours = nn.MultiheadAttention(width, heads, bias=bool(i % 7), batch_first=first, **sizes)
    theirs = torch.nn.MultiheadAttention(width, heads, bias=bool(i % 7), batch_first=first, **sizes)
    randomise(ours, rng)
    same_state(ours, theirs, dtype)
    lengths = (t,) if own else (t, s, s)
    widths = (width,) if own else (width, ours.kdim, ours.vdim)
    front = [(n, length) if first else (length, n) for length in lengths]
    mine, others = both([numbers(rng, (*f, w), dtype) for f, w in zip(front, widths, strict=True)])
    keywords = masks(rng, i, n, t, s, heads, dtype) | {"need_weights": bool(i // 4 % 2)}
    keywords["average_attn_weights"] = bool(i // 8 % 2)
    y, weights = ours(*(mine * 3 if own else mine), **keywords)
    z, other_weights = theirs(*(others * 3 if own else others), **in_torch(keywords))
    if keywords["need_weights"]:
        agree(weights.data, other_weights, TOLERANCE[dtype], "weights")
    pulled(ours, theirs, mine, others, (y, z), dtype, rng)


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("i", range(20))
def test_encoder_layers_and_stacks(i, dtype, norm_first):
    rng = draws("encoder", i, norm_first)
    n, t, heads, d, hidden = shape_of(rng, 5, least=2, most=5)
    settings = {"dropout": 0.0, "activation": ["relu", "gelu"][i % 2], "norm_first": norm_first}
    settings["batch_first"] = bool(i // 2 % 2)
    pair = [p.TransformerEncoderLayer(heads * d, heads, hidden, **settings) for p in (nn, torch.nn)]
    names = {"attn_mask": "src_mask", "key_padding_mask": "src_key_padding_mask"}
    if i % 4 == 0:
        pair = [
            p.TransformerEncoder(layer, 2, p.LayerNorm(heads * d))
            for p, layer in zip((nn, torch.nn), pair, strict=True)
        ]
        names["attn_mask"] = "mask"
    randomise(pair[0], rng)
    same_state(*pair, dtype)
    shape = (n, t, heads * d) if settings["batch_first"] else (t, n, heads * d)
    mine, others = both([numbers(rng, shape, dtype)])
    keywords = {names[k]: v for k, v in masks(rng, i, n, t, t, heads, dtype).items()}
    pulled(*pair, mine, others, (pair[0](*mine, **keywords), pair[1](*others, **in_torch(keywords))), dtype, rng)


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("i", range(20))
def test_decoder_layers_and_stacks(i, dtype, norm_first):
    rng = draws("decoder", i, norm_first)
    n, t, s, heads, d, hidden = shape_of(rng, 6, least=2, most=5)
    settings = {"dropout": 0.0, "activation": ["relu", "gelu"][i % 2], "norm_first": norm_first, "batch_first": True}
    pair = [p.TransformerDecoderLayer(heads * d, heads, hidden, **settings) for p in (nn, torch.nn)]
    if i % 4 == 0:
        pair = [p.TransformerDecoder(layer, 2) for p, layer in zip((nn, torch.nn), pair, strict=True)]
    randomise(pair[0], rng)
    same_state(*pair, dtype)
    mine, others = both([numbers(rng, (n, length, heads * d), dtype) for length in (t, s)])
    own, cross = masks(rng, i, n, t, t, heads, dtype), masks(rng, i + 1, n, t, s, heads, dtype)
    keywords = {
        "tgt_mask": own["attn_mask"],
        "tgt_key_padding_mask": own["key_padding_mask"],
        "memory_mask": cross["attn_mask"],
        "memory_key_padding_mask": cross["key_padding_mask"],
    }
    pulled(*pair, mine, others, (pair[0](*mine, **keywords), pair[1](*others, **in_torch(keywords))), dtype, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("i", range(40))
def test_embedding(i, dtype):
    rng = draws("embedding", i)
    vocabulary, width = shape_of(rng, 2, least=2, most=9)
    padding = int(rng.integers(-vocabulary, vocabulary)) if i % 2 else None
    ours, theirs = nn.Embedding(vocabulary, width, padding), torch.nn.Embedding(vocabulary, width, padding)
    randomise(ours, rng)
    same_state(ours, theirs, dtype)
    ids = rng.integers(0, vocabulary, shape_of(rng, i % 4))
    pulled(ours, theirs, [], [], (ours(ids), theirs(torch.tensor(ids))), dtype, rng)


def test_the_starting_weights_are_spread_as_in_pytorch():
    """Uniform on ±√(6/(E + 3E)): the bound is the same and nearly reached."""
    ours, theirs = nn.MultiheadAttention(32, 4), torch.nn.MultiheadAttention(32, 4)
    bound = np.sqrt(6 / (32 + 96))
    for weight in (ours.in_proj_weight.data, theirs.in_proj_weight.detach().numpy()):
        assert 0.99 * bound < np.abs(weight).max() <= bound * (1 + 1e-6)
    assert not ours.in_proj_bias.data.any()
    assert not ours.out_proj.bias.data.any()
