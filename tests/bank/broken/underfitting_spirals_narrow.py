"""Three spirals and a hidden layer of two units: they cannot bend three ways."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "underfitting"
LEARNS = 0.9

rng = np.random.default_rng(2)
y = np.arange(600) % 3
t = rng.uniform(0.2, 1, 600)
angle = 4 * t + 2 * np.pi * y / 3 + 0.1 * rng.normal(size=600)
x = (2 * np.stack([t * np.cos(angle), t * np.sin(angle)], 1)).astype(np.float32)
train, held = (x[:480], y[:480]), (x[480:], y[480:])

cr.seed(2)
model = cr.models.MLP(2, 2, 3, activation="tanh") if BROKEN else cr.models.MLP(2, 48, 48, 3, activation="tanh")
optimizer = cr.optim.Adam(model, lr=0.01)
cr.fit(model, train, optimizer=optimizer, epochs=60, validation=held, progress=False)
score = cr.evaluate(model, held)["accuracy"]
