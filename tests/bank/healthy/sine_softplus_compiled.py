"""A sine by softplus units; the step is compiled."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.9

rng = np.random.default_rng(13)
x = rng.uniform(-2, 2, (480, 1)).astype(np.float32)
y = np.sin(2 * x).astype(np.float32)

cr.seed(13)
model = cr.models.MLP(1, 32, 32, 1, activation="softplus")
optimizer = cr.optim.Adam(model, lr=0.01)


@cr.compile
def step(x, y):
    optimizer.zero_grad()
    loss = cr.losses.mse(model(x), y)
    loss.backward()
    optimizer.step()
    return loss


for k in range(600):
    rows = rng.integers(0, 400, 40)
    step(x[rows], y[rows])
score = cr.evaluate(model, (x[400:], y[400:]), "mse")["r2"]
