"""A causal transformer learns sequences that count up in steps of 1, 2 or 3 modulo 12."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.8

rng = np.random.default_rng(10)
ids = (rng.integers(0, 12, (400, 1)) + rng.integers(1, 4, (400, 1)) * np.arange(9)) % 12
x, y = ids[:, :-1], ids[:, 1:]


class Language(cr.nn.Module):
    def __init__(self):
        self.tokens, self.places = cr.nn.Embedding(12, 24), cr.nn.LearnedPositions(8, 24)
        self.block = cr.nn.TransformerEncoderLayer(24, 4, 48, dropout=0.0, norm_first=True)
        self.head = cr.nn.Linear(24, 12)

    def forward(self, ids):
        return self.head(self.block(self.places(self.tokens(ids)), is_causal=True))


cr.seed(10)
model = Language()
optimizer = cr.optim.AdamW(model, lr=0.005)
for step in range(200):
    rows = rng.integers(0, 320, 32)
    optimizer.zero_grad()
    cr.losses.cross_entropy(model(x[rows]), y[rows]).backward()
    cr.optim.clip_grad_norm(model, 1.0)
    optimizer.step()
score = float((model(x[320:]).numpy().argmax(-1) == y[320:])[:, 1:].mean())
