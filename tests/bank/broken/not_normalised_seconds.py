"""A column of seconds since 1970 (1.6e9) beside measurements of size 1 drowns everything else."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "data not normalised"
LEARNS = 0.85

rng = np.random.default_rng(1)
seconds = 1.6e9 + rng.uniform(0, 3e7, (500, 1))
x = np.hstack([rng.normal(size=(500, 4)), seconds]).astype(np.float32)
y = (x[:, 0] - x[:, 1] + 0.2 * rng.normal(size=500) > 0).astype(np.int64)
if not BROKEN:
    x = ((x - x.mean(0)) / x.std(0)).astype(np.float32)

cr.seed(1)
model = cr.models.MLP(5, 24, 2, activation="tanh")
optimizer = cr.optim.Adam(model, lr=0.01)
loader = cr.data.Loader(x[:400], y[:400], batch_size=32)
for epoch in range(15):
    for xb, yb in loader.epoch(epoch):
        optimizer.zero_grad()
        cr.losses.cross_entropy(model(xb), yb).backward()
        optimizer.step()
score = cr.evaluate(model, (x[400:], y[400:]))["accuracy"]
