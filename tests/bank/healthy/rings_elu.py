"""Two rings, ELU, one logit."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.95

rng = np.random.default_rng(11)
y = np.arange(500) % 2
radius, angle = 1 + y + 0.1 * rng.normal(size=500), rng.uniform(0, 2 * np.pi, 500)
x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).astype(np.float32)

cr.seed(11)
model = cr.models.MLP(2, 16, 1, activation="elu")
optimizer = cr.optim.RMSprop(model, lr=0.01)
for step in range(500):
    rows = rng.integers(0, 400, 32)
    optimizer.zero_grad()
    loss = cr.losses.binary_cross_entropy_with_logits(model(x[rows]), y[rows, None])
    loss.backward()
    optimizer.step()
score = float(((model(x[400:]).numpy()[:, 0] > 0) == y[400:]).mean())
