"""Moons, PReLU with a learned slope, momentum."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.93

rng = np.random.default_rng(16)
y = np.arange(500) % 2
t = rng.uniform(0, np.pi, 500)
x = np.stack([np.cos(t) * (1 - 2 * y) + y - 0.5, np.sin(t) * (1 - 2 * y) + 0.5 * y - 0.25], 1)
x = (x * [1.2, 2] + 0.15 * rng.normal(size=x.shape)).astype(np.float32)

cr.seed(16)
model = cr.nn.Sequential(cr.nn.Linear(2, 24), cr.nn.PReLU(), cr.nn.Linear(24, 24), cr.nn.PReLU(), cr.nn.Linear(24, 2))
optimizer = cr.optim.SGD(model, lr=0.1, momentum=0.9)
cr.fit(model, (x[:400], y[:400]), optimizer=optimizer, epochs=30, progress=False)
score = cr.evaluate(model, (x[400:], y[400:]))["accuracy"]
