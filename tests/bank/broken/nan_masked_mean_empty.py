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
    def forward(self, v):  # (n, words, 8), 0 for words that are not known
        known = cr.astype(cr.abs(v).sum(axis=-1, keepdims=True) > 0, "float32")
        count = known.sum(axis=1)
        return v.sum(axis=1) / (count if BROKEN else cr.maximum(count, 1.0))


rng = np.random.default_rng(5)
ids = rng.integers(1, 30, (320, 7)) * (rng.uniform(size=(320, 7)) < 0.8)
ids[17] = 0
y = (((ids > 0) & (ids < 15)).sum(1) * 2 > (ids > 0).sum(1)).astype(np.int64)

cr.seed(5)
model = cr.nn.Sequential(words=cr.nn.Embedding(30, 8, padding_idx=0), mean=MaskedMean(), fc=cr.nn.Linear(8, 2))
optimizer = cr.optim.Adam(model, lr=0.02)
for step in range(150):
    rows = np.arange(40) + 40 * (step % 6)
    optimizer.zero_grad()
    cr.losses.cross_entropy(model(ids[rows]), y[rows]).backward()
    optimizer.step()
score = float(np.mean(model(ids[240:]).numpy().argmax(1) == y[240:]))
