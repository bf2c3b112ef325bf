"""Gradients of three batches are added up on purpose, and zeroed behind each step."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.9

rng = np.random.default_rng(18)
y = rng.integers(0, 4, 600)
x = (2 * rng.normal(size=(4, 8))[y] + rng.normal(size=(600, 8))).astype(np.float32)

cr.seed(18)
model = cr.models.MLP(8, 24, 4)
optimizer = cr.optim.SGD(model, lr=0.2)
loader = cr.data.Loader(x[:480], y[:480], batch_size=16)
optimizer.zero_grad()
for epoch in range(15):
    for i, (xb, yb) in enumerate(loader.epoch(epoch), start=1):
        (cr.losses.cross_entropy(model(xb), yb) / 3).backward()
        if i % 3 == 0:
            optimizer.step()
            optimizer.zero_grad()
score = cr.evaluate(model, (x[480:], y[480:]))["accuracy"]
