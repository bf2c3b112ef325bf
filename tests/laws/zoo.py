"""Small models of every kind with data, a loss and an optimiser: what plans and ledgers are tested on."""

from dataclasses import dataclass
from functools import partial

import numpy as np

import chainrule as cr
from chainrule import nn


class Functional(nn.Module):
    """Activations called as functions, a shortcut, a scalar of its own."""

    def __init__(self):
        self.first, self.second = nn.Linear(6, 8), nn.Linear(8, 6)
        self.gain = nn.Parameter([1.5])

    def forward(self, x):
        return x * self.gain + self.second(cr.tanh(self.first(x)))


class LastState(nn.Module):
    def __init__(self, kind, **settings):
        self.recurrent = getattr(nn, kind)(5, 4, batch_first=True, **settings)
        self.head = nn.Linear(8 if settings.get("bidirectional") else 4, 3)

    def forward(self, x):
        return self.head(self.recurrent(x)[0][:, -1])


class Language(nn.Module):
    """Embedding with positions, a transformer layer, tied output weights."""

    def __init__(self, **settings):
        self.tokens, self.positions = nn.Embedding(11, 8), nn.LearnedPositions(6, 8)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, **settings)

    def forward(self, ids):
        x = self.layer(self.positions(self.tokens(ids)))
        return cr.matmul(x, cr.transpose(self.tokens.weight)).reshape(-1, 11)


class Attending(nn.Module):
    """Causal attention in blocks, layer norm before it."""

    def __init__(self):
        self.norm, self.qkv, self.out = nn.LayerNorm(8), nn.Linear(8, 24), nn.Linear(8, 3)

    def forward(self, x):
        n, t, d = x.shape
        q, k, v = cr.unstack(self.qkv(self.norm(x)).reshape(n, t, 3, 2, d // 2).permute(2, 0, 3, 1, 4), 0)
        y = cr.blockwise_attention(q, k, v, causal=True)
        return self.out(y.permute(0, 2, 1, 3).reshape(n, t, d)[:, -1])


def conv_net():
    return nn.Sequential(
        conv1=nn.Conv2d(2, 4, 3), act1=nn.ReLU(), pool=nn.MaxPool2d(2), conv2=nn.Conv2d(4, 3, 3, padding=1, stride=2),
        norm=nn.BatchNorm2d(3), act2=nn.GELU(), flat=nn.Flatten(), fc=nn.Linear(12, 3),
    )  # fmt: skip


def labels(draw, n, k=3):
    return draw.integers(0, k, n)


def floats(draw, *shape):
    return draw.standard_normal(shape).astype(np.float32)


@dataclass(frozen=True)
class Animal:
    """A model, what it is fed with, what is minimised, and by what."""

    make: object
    data: object
    loss: object = cr.losses.cross_entropy
    optimizer: object = partial(cr.optim.SGD, lr=0.05)
    """Not Adam: the bias before a batch norm has the gradient 0, and Adam makes whole steps of rounding errors."""

    def draw(self, seed=0):
        """The model with weights of a seed, its optimiser, and a function that draws a batch."""
        cr.seed(seed)
        model = self.make()
        generator = np.random.default_rng(seed)
        return model, self.optimizer(model), lambda: self.data(generator)

    def step(self, model, optimizer):
        """One step of training as a user writes it."""
        loss = self.loss

        def step(x, y):
            optimizer.zero_grad()
            value = loss(model(x), y)
            value.backward()
            optimizer.step()
            return value

        return step


def rows(width, classes=3, n=8):
    return lambda draw: (floats(draw, n, width), labels(draw, n, classes))


def pairs(width, outputs, n=8):
    return lambda draw: (floats(draw, n, width), floats(draw, n, outputs))


def sequences(n=4, t=7, width=5):
    return lambda draw: (floats(draw, n, t, width), labels(draw, n))


def images(n=3):
    return lambda draw: (floats(draw, n, 2, 10, 10), labels(draw, n))


def tokens(draw):
    return draw.integers(0, 11, (3, 6)), draw.integers(0, 11, 18)


def bits(draw):
    return floats(draw, 8, 4), draw.integers(0, 2, (8, 1)).astype(np.float32)


MLP = cr.models.MLP

ZOO = {
    **{
        f"mlp-{a}": Animal(partial(MLP, 5, 7, 6, 3, activation=a), rows(5), optimizer=partial(cr.optim.Adam, lr=1e-2))
        for a in ("relu", "tanh", "sigmoid", "gelu", "silu", "leaky_relu", "elu", "softplus", "selu")
    },
    "tiny": Animal(
        lambda: nn.Sequential(nn.Linear(4, 3), nn.Sigmoid(), nn.Linear(3, 1)),
        bits,
        cr.losses.binary_cross_entropy_with_logits,
    ),
    "linear": Animal(lambda: nn.Linear(5, 2), pairs(5, 2), cr.losses.mse),
    "batch-norm": Animal(partial(MLP, 5, 7, 3, batch_norm=True), rows(5)),
    "running-mean": Animal(lambda: nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4, momentum=None)), rows(5, 4)),
    "layer-norm": Animal(lambda: nn.Sequential(nn.Linear(5, 6), nn.LayerNorm(6), nn.Linear(6, 3)), rows(5)),
    "rms-norm": Animal(lambda: nn.Sequential(nn.Linear(5, 6), nn.RMSNorm(6), nn.Linear(6, 3)), rows(5)),
    "dropout": Animal(partial(MLP, 5, 30, 20, 3, dropout=0.4), rows(5)),
    "functional": Animal(Functional, pairs(6, 6), cr.losses.huber),
    "residual": Animal(lambda: nn.Sequential(nn.Residual(nn.Linear(5, 5)), nn.Linear(5, 3)), rows(5)),
    "shared": Animal(lambda: _twice(nn.Linear(5, 5)), pairs(5, 5), cr.losses.mse),
    "conv": Animal(conv_net, images()),
    "rnn": Animal(partial(LastState, "RNN"), sequences()),
    "gru": Animal(partial(LastState, "GRU", num_layers=2), sequences()),
    "lstm": Animal(partial(LastState, "LSTM", bidirectional=True), sequences()),
    "transformer": Animal(partial(Language, dropout=0.0), tokens),
    "transformer-dropout": Animal(partial(Language, dropout=0.2, norm_first=True, activation="gelu"), tokens),
    "attention": Animal(Attending, sequences(width=8)),
    "momentum": Animal(
        partial(MLP, 5, 7, 3), rows(5), optimizer=partial(cr.optim.SGD, lr=0.05, momentum=0.9, nesterov=True)
    ),
    "adamw": Animal(partial(MLP, 5, 7, 3), rows(5), optimizer=partial(cr.optim.AdamW, lr=1e-2)),
    "rmsprop": Animal(partial(MLP, 5, 7, 3), rows(5), optimizer=partial(cr.optim.RMSprop, lr=1e-2)),
    "hinge": Animal(
        partial(MLP, 5, 7, 1),
        lambda draw: (floats(draw, 8, 5), draw.choice([-1.0, 1.0], (8, 1)).astype(np.float32)),
        cr.losses.hinge,
    ),
    "smoothed": Animal(partial(MLP, 5, 7, 3), rows(5), partial(cr.losses.cross_entropy, label_smoothing=0.1)),
}


def _twice(layer):
    return nn.Sequential(layer, nn.Tanh(), layer)
