"""Poisson regression: exp of a sum of raw daily counts is beyond float32 where the counts are in the thousands."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "forward"
RULE = "overflow of exp"
OPERATION = "exp"
LAYER = ""
LEARNS = 0.7

rng = np.random.default_rng(3)
visits = rng.uniform(0, 5000, (400, 2))
y = rng.poisson(np.exp(0.0003 * visits[:, :1] + 0.0002 * visits[:, 1:])).astype(np.float32)
x = (visits if BROKEN else (visits - 2500) / 1443).astype(np.float32)

cr.seed(3)
model = cr.nn.Linear(2, 1)
model.weight.assign(np.array([[0.2, 0.1]]))
optimizer = cr.optim.Adam(model, lr=0.02)
for step in range(200):
    rows = rng.integers(0, 300, 32)
    optimizer.zero_grad()
    z = model(x[rows])
    loss = (cr.exp(z) - y[rows] * z).mean()
    loss.backward()
    optimizer.step()
rate = np.exp(model(x[300:]).numpy())
score = np.corrcoef(rate[:, 0], y[300:, 0])[0, 1]
