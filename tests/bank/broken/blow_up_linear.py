"""Plain linear regression by gradient descent with a rate of 3: each step overshoots more, until numbers end."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "learning rate blow-up"
LEARNS = 0.9

rng = np.random.default_rng(0)
x = rng.normal(size=(300, 5)).astype(np.float32)
y = x @ rng.normal(size=(5, 1)).astype(np.float32) + 0.1 * rng.normal(size=(300, 1)).astype(np.float32)

cr.seed(0)
model = cr.nn.Linear(5, 1)
optimizer = cr.optim.SGD(model, lr=3.0 if BROKEN else 0.1)
for step in range(200):
    optimizer.zero_grad()
    loss = cr.losses.mse(model(x), y)
    loss.backward()
    optimizer.step()
score = cr.evaluate(model, (x, y), "mse")["r2"]
