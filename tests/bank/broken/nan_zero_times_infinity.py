"""Illegal moves have the log-probability −∞ and the target 0; their product in the cross-entropy is no number."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "forward"
RULE = "0 · ∞"
OPERATION = "multiply"
LAYER = ""
LEARNS = -0.3

rng = np.random.default_rng(14)
x = rng.normal(size=(500, 6)).astype(np.float32)
legal = rng.uniform(size=(500, 3)) < 0.7
legal[~legal.any(1), 0] = True
best = np.where(legal, x[:, :3], -np.inf).argmax(1)
targets = np.eye(3, dtype=np.float32)[best]
mask = np.where(legal, 0.0, -np.inf if BROKEN else -1e4).astype(np.float32)

cr.seed(14)
model = cr.models.MLP(6, 24, 3)
optimizer = cr.optim.Adam(model, lr=0.02)
for step in range(300):
    rows = np.arange(40) + 40 * (step % 10)
    optimizer.zero_grad()
    log_p = cr.log_softmax(model(x[rows]) + mask[rows])
    loss = -(log_p * targets[rows]).sum(axis=-1).mean()
    loss.backward()
    optimizer.step()
score = -loss.item()
