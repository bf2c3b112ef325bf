"""Gaps in a table were read as NaN, and the loop does not look: the first batch with a gap spoils all weights."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "input"
RULE = "input not finite"
LEARNS = 0.85

rng = np.random.default_rng(25)
x = rng.normal(size=(400, 5)).astype(np.float32)
y = (x[:, 0] - x[:, 1] > 0).astype(np.int64)
x[rng.integers(0, 400, 12), rng.integers(2, 5, 12)] = np.nan
if not BROKEN:
    x = np.nan_to_num(x)

cr.seed(25)
model = cr.models.MLP(5, 16, 2)
optimizer = cr.optim.Adam(model, lr=0.01)
for step in range(150):
    rows = rng.integers(0, 300, 20)
    optimizer.zero_grad()
    cr.losses.cross_entropy(model(x[rows]), y[rows]).backward()
    optimizer.step()
score = float(np.mean(model(x[300:]).numpy().argmax(1) == y[300:]))
