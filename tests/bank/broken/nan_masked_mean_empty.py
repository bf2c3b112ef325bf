"""The mean over the words of a text, Σ / count: one text has no word that is known, and 0 / 0 is no number."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "forward"
RULE = "0/0"
OPERATION = "divide"
LAYER = "mean"
LEARNS = 0.85


class MaskedMean(cr.nn.Module):
    def forward(self, v, known):
        count = known.sum(1, keepdims=True).astype(np.float32)
        return (v * known[:, :, None]).sum(axis=1) / (count if BROKEN else np.maximum(count, 1))


class Texts(cr.nn.Module):
    def __init__(self):
        self.words, self.mean, self.fc = cr.nn.Embedding(30, 8), MaskedMean(), cr.nn.Linear(8, 2)

    def forward(self, ids):
        return self.fc(self.mean(self.words(ids), (ids > 0).astype(np.float32)))


rng = np.random.default_rng(5)
ids = rng.integers(1, 30, (320, 7)) * (rng.uniform(size=(320, 7)) < 0.8)
ids[17] = 0
y = ((ids > 0) & (ids < 15)).sum(1) * 2 > (ids > 0).sum(1)
cr.seed(5)
model, y = Texts(), y.astype(np.int64)
optimizer = cr.optim.Adam(model, lr=0.02)
for step in range(150):
    rows = np.arange(40) + 40 * (step % 6)
    optimizer.zero_grad()
    cr.losses.cross_entropy(model(ids[rows]), y[rows]).backward()
    optimizer.step()
score = float(np.mean(model(ids[240:]).numpy().argmax(1) == y[240:]))
