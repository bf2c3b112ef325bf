"""A contrastive loss on √Σ (a − b)²: for the pair that is twice the same signature the root has no slope."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "backward"
RULE = "sqrt at 0"
OPERATION = "sqrt"
LAYER = ""
LEARNS = 0.85

rng = np.random.default_rng(9)
kind = rng.integers(0, 2, (300, 2))
a, b = ((rng.normal(size=(300, 6)) + 2 * kind[:, i : i + 1]).astype(np.float32) for i in (0, 1))
same = (kind[:, 0] == kind[:, 1]).astype(np.float32)
b[40], same[40] = a[40], 1

cr.seed(9)
model = cr.models.MLP(6, 16, 4, activation="tanh")
optimizer = cr.optim.Adam(model, lr=0.01)
for step in range(200):
    rows = np.arange(50) + 50 * (step % 4)
    optimizer.zero_grad()
    square = ((model(a[rows]) - model(b[rows])) ** 2).sum(axis=-1)
    distance = cr.sqrt(square if BROKEN else square + 1e-9)
    loss = (same[rows] * distance + (1 - same[rows]) * cr.relu(2 - distance)).mean()
    loss.backward()
    optimizer.step()
far = np.linalg.norm(model(a[200:]).numpy() - model(b[200:]).numpy(), axis=1) > 1
score = float(np.mean(far != same[200:]))
