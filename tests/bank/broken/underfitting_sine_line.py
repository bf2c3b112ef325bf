"""A straight line through two periods of a sine."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "underfitting"
LEARNS = 0.9

rng = np.random.default_rng(4)
x = rng.uniform(-3, 3, (500, 1)).astype(np.float32)
y = (np.sin(2 * x) + 0.1 * rng.normal(size=x.shape)).astype(np.float32)
train, held = (x[:400], y[:400]), (x[400:], y[400:])

cr.seed(4)
model = cr.nn.Linear(1, 1) if BROKEN else cr.models.MLP(1, 32, 32, 1, activation="tanh")
optimizer = cr.optim.Adam(model, lr=0.01)
cr.fit(model, train, "mse", optimizer, epochs=60, validation=held, progress=False)
score = cr.evaluate(model, held, "mse")["r2"]
