"""A linear support vector machine by the hinge loss and weight decay."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.92

rng = np.random.default_rng(24)
y = rng.choice([-1.0, 1.0], (500, 1)).astype(np.float32)
x = (rng.normal(size=(500, 5)) + 0.9 * y).astype(np.float32)
cr.seed(24)
model = cr.nn.Linear(5, 1)
optimizer = cr.optim.SGD(model, lr=0.05, weight_decay=1e-3)
for step in range(300):
    rows = rng.integers(0, 400, 32)
    optimizer.zero_grad()
    cr.losses.hinge(model(x[rows]), y[rows]).backward()
    optimizer.step()
score = float((np.sign(model(x[400:]).numpy()) == y[400:]).mean())
