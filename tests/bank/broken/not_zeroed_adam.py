"""Adam without zero_grad: it hides the growing size of the gradient, but not that old directions stay in it."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "gradients not zeroed"
LEARNS = 0.9

rng = np.random.default_rng(2)
radius = np.where(np.arange(400) % 2, 1.0, 2.0) + 0.15 * rng.normal(size=400)
angle = rng.uniform(0, 2 * np.pi, 400)
x = (np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)).astype(np.float32)
y = (np.arange(400) % 2).reshape(-1, 1)

cr.seed(2)
model = cr.models.MLP(2, 16, 1, activation="tanh")
optimizer = cr.optim.Adam(model, lr=0.02)
for step in range(400):
    rows = rng.integers(0, 300, 32)
    loss = cr.losses.binary_cross_entropy_with_logits(model(x[rows]), y[rows])
    if not BROKEN:
        optimizer.zero_grad()
    loss.backward()
    optimizer.step()
score = float(((model(x[300:]).numpy() > 0) == y[300:]).mean())
