"""zero_grad stands outside of the loop over batches (one indentation too few): it runs once an epoch."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "gradients not zeroed"
LEARNS = 0.9

rng = np.random.default_rng(1)
x = rng.normal(size=(600, 10)).astype(np.float32)
y = (x @ rng.normal(size=(10, 1)) + 0.2 * rng.normal(size=(600, 1))).astype(np.float32) / 3

cr.seed(1)
model = cr.models.MLP(10, 24, 1, activation="tanh")
optimizer = cr.optim.SGD(model, lr=0.05)
loader = cr.data.Loader(x[:480], y[:480], batch_size=32)
for epoch in range(30):
    optimizer.zero_grad()
    for xb, yb in loader.epoch(epoch):
        if not BROKEN:
            optimizer.zero_grad()
        cr.losses.mse(model(xb), yb).backward()
        optimizer.step()
score = cr.evaluate(model, (x[480:], y[480:]), "mse")["r2"]
