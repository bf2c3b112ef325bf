"""Attention, transformers, embeddings and positions: configurations of ours and PyTorch's."""

import numpy as np

import chainrule as cr
from chainrule import nn
from tests.oracles.pairing import Formula, Pair, of_both, paired, torch

functional = torch.nn.functional


def hidden(draw, *shape):
    """A mask of a layer, in which True ignores, with a False in every row."""
    return ~draw.mask(*shape)


def masks(draw, n, t, s, heads):
    """`attn_mask` and `key_padding_mask`: of no kind, boolean, or of floats, which PyTorch wants both alike."""
    attn = draw.one_of(None, hidden(draw, t, s), draw.normal(t, s), draw.normal(n * heads, t, s))
    padding = None
    if draw.chance(0.4):
        padding = hidden(draw, n, s)
        padding[:, 0] = False
        if attn is not None and attn.dtype == bool:
            attn[:, 0] = False
        elif attn is not None:
            padding = np.where(padding, -np.inf, 0.0)
    return {"attn_mask": attn, "key_padding_mask": padding}


def later(t, s=None):
    """What a causal mask hides."""
    return np.triu(np.ones((t, s or t), bool), 1)


@paired("MultiheadAttention")
def multihead_attention(name, draw):
    heads, n, t, s = draw.size(1, 4), draw.size(1, 4), draw.size(), draw.size()
    width, form = heads * draw.size(1, 4), draw.one_of("self", "cross", "sizes", "alone", "causal")
    settings = {"bias": draw.chance(0.8), "batch_first": draw.chance()}
    if form == "sizes":
        settings |= {"kdim": width + 1, "vdim": width + 2}
    s = s if form in ("cross", "sizes") else t
    widths = (width, settings.get("kdim", width), settings.get("vdim", width))
    given = masks(draw, n, t, s, heads) if form != "causal" else {}
    given |= {"need_weights": draw.chance(), "average_attn_weights": draw.chance()}
    ours, theirs = of_both(name, width, heads, **settings)
    if form == "alone":
        given["attn_mask"] = given["key_padding_mask"] = None
        return Pair(ours, theirs, (x := draw.normal(t, width), x, x), given)
    front = [(n, length) if settings["batch_first"] else (length, n) for length in (t, s, s)]
    arrays = tuple(draw.normal(*f, w) for f, w in zip(front, widths, strict=True))
    arrays = arrays if form in ("cross", "sizes") else (arrays[0],) * 3
    if form == "causal":
        return Pair(ours, theirs, arrays, given | {"is_causal": True}, given | {"attn_mask": later(t)})
    return Pair(ours, theirs, arrays, given)


def turned(x):
    """Rotary positions by complex numbers: entries i and i + d/2 turned by t/10000^(2i/d)."""
    half = x.shape[-1] // 2
    rates = 10000.0 ** (-torch.arange(half, dtype=torch.float64) / half)
    angles = torch.arange(x.shape[-2], dtype=torch.float64)[:, None] * rates
    wave = torch.complex(angles.cos(), angles.sin()).to(
        torch.complex128 if x.dtype == torch.float64 else torch.complex64
    )
    y = torch.complex(x[..., :half], x[..., half:]) * wave
    return torch.cat([y.real, y.imag], -1)


class Grouped(torch.nn.Module):
    """Grouped-query attention with or without rotary positions, one head after another."""

    def __init__(self, width, heads, kv_heads, rotary, bias):
        super().__init__()
        self.sizes, self.heads, self.rotary = [width, *[kv_heads * (width // heads)] * 2], heads, rotary
        self.in_proj_weight = torch.nn.Parameter(torch.empty(sum(self.sizes), width))
        self.in_proj_bias = torch.nn.Parameter(torch.empty(sum(self.sizes))) if bias else None
        self.out_proj = torch.nn.Linear(width, width, bias=bias)

    def forward(self, query, attn_mask=None, is_causal=False, need_weights=True, average_attn_weights=True):
        d = query.shape[-1] // self.heads
        q, k, v = functional.linear(query, self.in_proj_weight, self.in_proj_bias).split(self.sizes, -1)
        group, rows = q.shape[-1] // k.shape[-1], []
        for h in range(self.heads):
            mine, shared = slice(h * d, (h + 1) * d), slice(h // group * d, (h // group + 1) * d)
            a, b = q[..., mine], k[..., shared]
            a, b = (turned(a), turned(b)) if self.rotary else (a, b)
            scores = a @ b.transpose(-1, -2) / d**0.5
            scores = scores if attn_mask is None else scores.masked_fill(attn_mask, -torch.inf)
            rows.append((weights := scores.softmax(-1), weights @ v[..., shared]))
        weights = torch.stack([w for w, _ in rows], -3)
        weights = weights.mean(-3) if average_attn_weights else weights
        return self.out_proj(torch.cat([y for _, y in rows], -1)), weights if need_weights else None


@paired("MultiheadAttention: grouped, rotary")
def grouped_attention(name, draw):
    kv_heads, rotary, bias = draw.size(1, 3), draw.chance(0.6), draw.chance()
    heads, n, t = kv_heads * draw.size(1, 3), draw.size(1, 3), draw.size(1, 6)
    width = heads * 2 * draw.size(1, 2)
    ours = nn.MultiheadAttention(width, heads, bias=bias, num_kv_heads=kv_heads, rotary=rotary)
    given = {"need_weights": draw.chance(), "average_attn_weights": draw.chance()}
    mask, causal = hidden(draw, t, t), draw.chance()
    mine = {"is_causal": True} if causal else {"attn_mask": mask}
    theirs = {"attn_mask": later(t) if causal else mask}
    front = draw.one_of((n, t), (t,))
    return Pair(
        ours, Grouped(width, heads, kv_heads, rotary, bias), (draw.normal(*front, width),), given | mine, given | theirs
    )


ACTIVATIONS = {
    "relu": ("relu", "relu"),
    "gelu": ("gelu", "gelu"),
    "silu": ("silu", functional.silu),
    "gelu_tanh": ("gelu_tanh", lambda x: functional.gelu(x, approximate="tanh")),
    "a function": (cr.tanh, torch.tanh),
}


def transformer_layers(kind, draw):
    """A layer, or a stack of them with or without a norm, in both libraries; its heads, width and settings."""
    heads = draw.size(1, 3)
    width = heads * draw.size(2, 4) if heads > 1 else draw.size(4, 6)  # norms of fewer features are nearly constant
    trained = draw.chance(0.7)
    settings = {
        "dim_feedforward": draw.size(2, 6),
        "dropout": 0.0 if trained else 0.3,
        "layer_norm_eps": draw.one_of(1e-5, 1e-3),
        "batch_first": draw.chance(),
        "norm_first": draw.chance(),
    }
    activations = draw.one_of(*ACTIVATIONS.values())
    pair = []
    normed = draw.chance()
    for package, activation in zip((nn, torch.nn), activations, strict=True):
        layer = getattr(package, kind.removesuffix("Layer") + "Layer")(width, heads, activation=activation, **settings)
        if not kind.endswith("Layer"):
            more = {"enable_nested_tensor": False} if (package, kind) == (torch.nn, "TransformerEncoder") else {}
            norm = package.LayerNorm(width) if normed else None
            layer = getattr(package, kind)(layer, 2, norm, **more)
        pair.append(layer)
    return pair, heads, width, settings["batch_first"], ("train",) if trained else ("eval",)


def of_time(draw, first, n, t, width):
    return draw.normal(*((n, t) if first else (t, n)), width)


@paired("TransformerEncoderLayer", "TransformerEncoder")
def encoder(name, draw):
    pair, heads, width, first, phases = transformer_layers(name, draw)
    n, t = draw.size(1, 4), draw.size()
    mask = "src_mask" if name.endswith("Layer") else "mask"
    drawn = masks(draw, n, t, t, heads)
    given = {mask: drawn["attn_mask"], "src_key_padding_mask": drawn["key_padding_mask"]}
    x = (of_time(draw, first, n, t, width),)
    if draw.chance(0.2):
        return Pair(*pair, x, {"is_causal": True}, {mask: later(t)}, phases=phases)
    return Pair(*pair, x, given, phases=phases)


@paired("TransformerDecoderLayer", "TransformerDecoder")
def decoder(name, draw):
    pair, heads, width, first, phases = transformer_layers(name, draw)
    n, t, s = draw.size(1, 4), draw.size(), draw.size()
    own, cross = masks(draw, n, t, t, heads), masks(draw, n, t, s, heads)
    given = {
        "tgt_mask": own["attn_mask"],
        "tgt_key_padding_mask": own["key_padding_mask"],
        "memory_mask": cross["attn_mask"],
        "memory_key_padding_mask": cross["key_padding_mask"],
    }
    x = of_time(draw, first, n, t, width), of_time(draw, first, n, s, width)
    if draw.chance(0.2):
        return Pair(*pair, x, {"tgt_is_causal": True}, {"tgt_mask": later(t)}, phases=phases)
    return Pair(*pair, x, given, phases=phases)


@paired("FeedForward")
def feed_forward(name, draw):
    kind = draw.one_of("relu", "gelu", "gelu_tanh", "silu", "swiglu", "geglu")
    width, inner, bias = draw.size(), draw.one_of(None, draw.size(1, 6)), draw.one_of(None, True, False)
    ours = nn.FeedForward(width, inner, kind, bias=bias)
    phi = functional.silu if kind == "swiglu" else functional.gelu if kind == "geglu" else ACTIVATIONS[kind][1]
    theirs = Block(width, inner or 4 * width, getattr(functional, phi) if isinstance(phi, str) else phi, ours)
    return Pair(ours, theirs, (draw.normal(*draw.shape(2), width),))


class Block(torch.nn.Module):
    """Two dense layers, and a gate where ours has one."""

    def __init__(self, width, inner, phi, ours):
        super().__init__()
        gated, bias = ours.gate is not None, ours.linear1.bias is not None
        self.linear1, self.phi = torch.nn.Linear(width, inner, bias), phi
        self.gate = torch.nn.Linear(width, inner, bias) if gated else None
        self.linear2 = torch.nn.Linear(inner, width, bias)

    def forward(self, x):
        h = self.phi(self.linear1(x))
        return self.linear2(h if self.gate is None else h * self.gate(x))


@paired("Embedding")
def embedding(name, draw):
    vocabulary, width = draw.shape(2, 2, 9)
    padding = draw.one_of(None, draw.size(-vocabulary, vocabulary - 1))
    ids = draw.rng.integers(0, vocabulary, draw.shape(draw.size(0, 3)))
    return Pair(*of_both(name, vocabulary, width, padding), (ids,))


@paired("LearnedPositions")
def learned_positions(name, draw):
    most, width = draw.shape(2, 2, 7)
    ours, offset = nn.LearnedPositions(most, width), draw.size(0, most - 1)
    theirs = Formula(ours, lambda p, x, offset: x + p["weight"][offset : offset + x.shape[-2]])
    x = draw.normal(*draw.shape(draw.size(0, 2)), draw.size(1, most - offset), width)
    return Pair(ours, theirs, (x,), {"offset": offset})


def waves(p, x):
    """Vaswani et al. (2017), §3.5, an entry at a time."""
    length, d = x.shape[-2:]
    rows = [[t / 10000.0 ** (2 * (i // 2) / d) for i in range(d)] for t in range(length)]
    angles = torch.tensor(rows, dtype=torch.float64)
    return x + torch.where(torch.arange(d) % 2 == 0, angles.sin(), angles.cos()).to(x.dtype)


@paired("PositionalEncoding")
def positional_encoding(name, draw):
    ours = nn.PositionalEncoding(d := 2 * draw.size(1, 4))
    return Pair(ours, Formula(ours, waves), (draw.normal(*draw.shape(draw.size(1, 3)), d),))
