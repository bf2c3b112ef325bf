"""An entropy bonus with where(p > 0, log p, 0): moves that a mask forbids have p = 0, and come back as 0 · ∞."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "backward"
RULE = "0 · ∞ in the derivative of log"
OPERATION = "log"
LAYER = ""
LEARNS = 0.85

rng = np.random.default_rng(19)
x = rng.normal(size=(500, 6)).astype(np.float32)
legal = rng.uniform(size=(500, 4)) < 0.7
legal[~legal.any(1), 0] = True
best = np.where(legal, x[:, :4], -np.inf).argmax(1)
mask = np.where(legal, 0.0, -1e9).astype(np.float32)

cr.seed(19)
model = cr.models.MLP(6, 24, 4)
optimizer = cr.optim.Adam(model, lr=0.02)
for step in range(300):
    rows = rng.integers(0, 400, 40)
    optimizer.zero_grad()
    z = model(x[rows]) + mask[rows]
    p = cr.softmax(z)
    log_p = cr.where(p > 0, cr.log(p if BROKEN else cr.where(p > 0, p, 1.0)), 0.0)
    loss = cr.losses.cross_entropy(z, best[rows]) + 0.01 * (p * log_p).sum(axis=-1).mean()
    loss.backward()
    optimizer.step()
score = float(np.mean((model(x[400:]).numpy() + mask[400:]).argmax(1) == best[400:]))
