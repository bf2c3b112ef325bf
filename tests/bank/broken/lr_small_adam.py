"""Adam at 1e-6 for 300 steps: a weight moves by 0.0003 in all, and the net remains the random one."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "learning rate too small"
LEARNS = 0.9

rng = np.random.default_rng(1)
x = rng.normal(size=(400, 8)).astype(np.float32)
y = x[:, :4].sum(1, keepdims=True) / 2 + np.sin(x[:, 4:5])

cr.seed(1)
model = cr.models.MLP(8, 32, 1, activation="tanh")
optimizer = cr.optim.Adam(model, lr=1e-6 if BROKEN else 1e-2)
for step in range(300):
    rows = rng.integers(0, 300, 32)
    optimizer.zero_grad()
    loss = cr.losses.mse(model(x[rows]), y[rows])
    loss.backward()
    optimizer.step()
score = cr.evaluate(model, (x[300:], y[300:]), "mse")["r2"]
