"""One of each layer of attention, from 4 features to 4: rows (T, 4) are a sequence without a batch axis."""

from chainrule import nn


class Attending(nn.Module):
    """A layer with more than one argument, or more than one result, as a layer of one and one."""

    def __init__(self, inner, takes=1):
        self.inner, self.takes = inner, takes

    def forward(self, x):
        y = self.inner(*[x] * self.takes)
        return y[0] if isinstance(y, tuple) else y


SETTINGS = {"dim_feedforward": 6, "dropout": 0.1, "activation": "gelu"}

SEQUENCE_LAYERS = {
    "FeedForward": lambda: nn.FeedForward(4, 6, "swiglu", dropout=0.1),
    "Lambda": lambda: nn.Lambda(lambda x: x * x),
    "LearnedPositions": lambda: nn.LearnedPositions(6, 4),
    "MultiheadAttention": lambda: Attending(nn.MultiheadAttention(4, 2, num_kv_heads=1, rotary=True)),
    "Parallel": lambda: nn.Parallel(nn.Linear(4, 1), nn.Linear(4, 3)),
    "PositionalEncoding": lambda: nn.PositionalEncoding(4),
    "StochasticDepth": lambda: nn.StochasticDepth(0.3),
    "TransformerDecoder": lambda: Attending(nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, **SETTINGS), 1), 2),
    "TransformerDecoderLayer": lambda: Attending(nn.TransformerDecoderLayer(4, 1, **SETTINGS), 2),
    "TransformerEncoder": lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, **SETTINGS), 1),
    "TransformerEncoderLayer": lambda: nn.TransformerEncoderLayer(4, 2, norm_first=True, **SETTINGS),
}

OTHERS = {"Embedding", "ModuleDict", "ModuleList", "ParameterList"}
"""From ids to features, or without `forward`: in tests/laws/test_attention.py."""
