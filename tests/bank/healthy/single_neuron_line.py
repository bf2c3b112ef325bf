"""A line through points: one weight, one bias, by gradient descent."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.9

rng = np.random.default_rng(3)
x = rng.uniform(-1, 1, (200, 1)).astype(np.float32)
y = (2 * x + 1 + 0.2 * rng.normal(size=x.shape)).astype(np.float32)
cr.seed(3)
model = cr.nn.Linear(1, 1)
optimizer = cr.optim.SGD(model, lr=0.1)
for step in range(100):
    optimizer.zero_grad()
    loss = cr.losses.mse(model(x), y)
    loss.backward()
    optimizer.step()
score = cr.evaluate(model, (x, y), "mse")["r2"]
