"""The regression net ends in a ReLU, and half of the targets are negative: it cannot say them."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "loss does not fit output"
LEARNS = 0.9

rng = np.random.default_rng(2)
x = rng.uniform(-3, 3, (500, 1)).astype(np.float32)
y = (1.4 * np.sin(x) + 0.1 * rng.normal(size=x.shape)).astype(np.float32)

cr.seed(2)
model = cr.nn.Sequential(
    cr.nn.Linear(1, 32),
    cr.nn.Tanh(),
    cr.nn.Linear(32, 1),
    cr.nn.ReLU() if BROKEN else cr.nn.Identity(),
)
optimizer = cr.optim.Adam(model, lr=0.01)
loader = cr.data.Loader(x[:400], y[:400], batch_size=32)
for epoch in range(40):
    for xb, yb in loader.epoch(epoch):
        optimizer.zero_grad()
        cr.losses.mse(model(xb), yb).backward()
        optimizer.step()
score = cr.evaluate(model, (x[400:], y[400:]), "mse")["r2"]
