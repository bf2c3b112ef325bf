"""Distances of stars in metres, 1e17, from temperatures: the loss is finite, Adam's squared gradient is not."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "update"
RULE = "overflow of the gradient's square"
LEARNS = 0.8

rng = np.random.default_rng(24)
kelvin = rng.uniform(3000, 9000, (400, 2))
metres = 1e17 * (1 + (kelvin[:, :1] - 6000) / 4000 + 0.3 * np.sin(kelvin[:, 1:] / 1000))
x, y = kelvin.astype(np.float32), metres.astype(np.float32)
if not BROKEN:
    x, y = (x - x.mean(0)) / x.std(0), (y - y.mean()) / y.std()

cr.seed(24)
model = cr.models.MLP(2, 32, 1, activation="leaky_relu")
optimizer = cr.optim.Adam(model, lr=0.01)
loader = cr.data.Loader(x[:300], y[:300], batch_size=30)
for epoch in range(30):
    for xb, yb in loader.epoch(epoch):
        optimizer.zero_grad()
        cr.losses.mse(model(xb), yb).backward()
        optimizer.step()
score = cr.evaluate(model, (x[300:], y[300:]), "mse")["r2"]
