"""Two rings, one in the other, and a logistic regression."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "underfitting"
LEARNS = 0.95

rng = np.random.default_rng(1)
y = np.arange(500) % 2
radius, angle = 1 + y + 0.1 * rng.normal(size=500), rng.uniform(0, 2 * np.pi, 500)
x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).astype(np.float32)

cr.seed(1)
model = cr.models.MLP(2, 1) if BROKEN else cr.models.MLP(2, 16, 1)
optimizer = cr.optim.Adam(model, lr=0.02)
loader = cr.data.Loader(x[:400], y[:400, None], batch_size=32)
for epoch in range(25):
    for xb, yb in loader.epoch(epoch):
        optimizer.zero_grad()
        cr.losses.binary_cross_entropy_with_logits(model(xb), yb).backward()
        optimizer.step()
score = float(np.mean((model(x[400:]).numpy()[:, 0] > 0) == y[400:]))
