"""A compiled step with a rate of 2 on a two-layer linear net: parameters grow until they overflow."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "learning rate blow-up"
LEARNS = 0.9

rng = np.random.default_rng(4)
x = rng.normal(size=(320, 6)).astype(np.float32)
y = x @ rng.normal(size=(6, 2)).astype(np.float32)

cr.seed(4)
model = cr.nn.Sequential(cr.nn.Linear(6, 8), cr.nn.Linear(8, 2))
optimizer = cr.optim.SGD(model, lr=2.0 if BROKEN else 0.05)


@cr.compile
def step(x, y):
    optimizer.zero_grad()
    loss = cr.losses.mse(model(x), y)
    loss.backward()
    optimizer.step()
    return loss


for k in range(300):
    rows = rng.integers(0, 320, 64)
    step(x[rows], y[rows])
score = cr.evaluate(model, (x, y), "mse")["r2"]
