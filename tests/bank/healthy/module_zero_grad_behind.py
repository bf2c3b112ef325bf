"""zero_grad stands behind the step, and is the model's: as good as before it."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.95

rng = np.random.default_rng(38)
x = rng.normal(size=(400, 3)).astype(np.float32)
y = x @ np.array([[1.0], [-2.0], [0.5]], np.float32) + 0.1 * rng.normal(size=(400, 1)).astype(np.float32)
cr.seed(38)
model = cr.nn.Linear(3, 1)
optimizer = cr.optim.SGD(model, lr=0.1)
for step in range(150):
    rows = rng.integers(0, 400, 32)
    loss = cr.losses.mse(model(x[rows]), y[rows])
    loss.backward()
    optimizer.step()
    model.zero_grad()
score = cr.evaluate(model, (x, y), "mse")["r2"]
