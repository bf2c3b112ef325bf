"""A noisy sine by a tanh net."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.9

rng = np.random.default_rng(12)
x = rng.uniform(-3, 3, (500, 1)).astype(np.float32)
y = (np.sin(1.5 * x) + 0.1 * rng.normal(size=x.shape)).astype(np.float32)
train, held = (x[:400], y[:400]), (x[400:], y[400:])

cr.seed(12)
model = cr.models.MLP(1, 32, 32, 1, activation="tanh")
cr.fit(model, train, "mse", cr.optim.Adam(model, lr=0.01), epochs=40, validation=held, progress=False)
score = cr.evaluate(model, held, "mse")["r2"]
