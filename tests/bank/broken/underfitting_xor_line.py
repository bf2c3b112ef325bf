"""A linear model on XOR: no line tells the corners apart, and the loss stays at ln 2."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "underfitting"
LEARNS = 0.95

rng = np.random.default_rng(0)
corner = rng.integers(0, 2, (400, 2))
x = (2 * corner - 1 + 0.2 * rng.normal(size=(400, 2))).astype(np.float32)
y = (corner[:, 0] ^ corner[:, 1]).astype(np.int64)

cr.seed(0)
model = cr.nn.Linear(2, 2) if BROKEN else cr.models.MLP(2, 16, 2, activation="tanh")
cr.fit(model, (x[:300], y[:300]), optimizer=cr.optim.Adam(model, lr=0.02), epochs=25, progress=False)
score = cr.evaluate(model, (x[300:], y[300:]))["accuracy"]
