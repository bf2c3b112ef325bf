"""Attention written by hand adds −∞ for padding, and one sequence is padding alone: its softmax has nothing left."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "forward"
RULE = "a fully masked row"
OPERATION = "softmax"
LAYER = "attend"
LEARNS = 0.9


class Attend(cr.nn.Module):
    def __init__(self):
        self.words, self.query, self.fc = cr.nn.Embedding(20, 12), cr.nn.Linear(12, 1), cr.nn.Linear(12, 2)

    def forward(self, ids):
        v = self.words(ids)  # (n, words, 12)
        mask = np.where(ids == 0, -np.inf if BROKEN else -1e9, 0.0).astype(np.float32)
        weights = cr.softmax(self.query(v)[:, :, 0] + mask)
        return self.fc((weights[:, :, None] * v).sum(axis=1))


rng = np.random.default_rng(12)
ids = rng.integers(1, 20, (300, 6)) * (np.arange(6) < rng.integers(1, 7, (300, 1)))
ids[3] = 0
y = (ids == 7).any(1).astype(np.int64)
rows = np.concatenate([np.arange(300), *[np.flatnonzero(y)] * 3])
cr.seed(12)
model = cr.nn.Sequential(attend=Attend())
optimizer = cr.optim.Adam(model, lr=0.02)
for step in range(150):
    batch = rows[rng.integers(0, len(rows), 40)]
    optimizer.zero_grad()
    cr.losses.cross_entropy(model(ids[batch]), y[batch]).backward()
    optimizer.step()
score = float(np.mean(model(ids).numpy().argmax(1) == y))
