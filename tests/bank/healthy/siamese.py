"""Pairs of the same kind come close, others part: a contrastive loss with ε in its root."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.9

rng = np.random.default_rng(33)
kind = rng.integers(0, 2, (600, 2))
a, b = ((rng.normal(size=(600, 6)) + 2 * kind[:, i : i + 1]).astype(np.float32) for i in (0, 1))
same = (kind[:, 0] == kind[:, 1]).astype(np.float32)
cr.seed(33)
model = cr.models.MLP(6, 16, 4, activation="tanh")
optimizer = cr.optim.Adam(model, lr=0.005)
for step in range(250):
    rows = rng.integers(0, 480, 48)
    optimizer.zero_grad()
    distance = cr.sqrt(((model(a[rows]) - model(b[rows])) ** 2).sum(axis=-1) + 1e-9)
    (same[rows] * distance + (1 - same[rows]) * cr.relu(2 - distance)).mean().backward()
    optimizer.step()
far = np.linalg.norm(model(a[480:]).numpy() - model(b[480:]).numpy(), axis=1) > 1
score = float((far != same[480:]).mean())
