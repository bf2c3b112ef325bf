"""Three spirals, SiLU, a one-cycle learning rate."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.93

rng = np.random.default_rng(10)
y = np.arange(900) % 3
t = rng.uniform(0.2, 1, 900)
angle = 4 * t + 2 * np.pi * y / 3 + 0.1 * rng.normal(size=900)
x = (2 * np.stack([t * np.cos(angle), t * np.sin(angle)], 1)).astype(np.float32)
train, held = (x[:700], y[:700]), (x[700:], y[700:])

cr.seed(10)
model = cr.models.MLP(2, 48, 48, 3, activation="silu")
optimizer = cr.optim.Adam(model, lr=0.02)
cycle = cr.optim.OneCycle(0.02, steps=50 * 22)
cr.fit(model, train, optimizer=optimizer, epochs=50, schedule=cycle, validation=held, progress=False)
score = cr.evaluate(model, held)["accuracy"]
