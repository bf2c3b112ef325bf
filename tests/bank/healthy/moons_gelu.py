"""Two moons, two hidden layers of GELU."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.95

rng = np.random.default_rng(9)
y = np.arange(600) % 2
angle = rng.uniform(0, np.pi, 600)
upper, lower = np.stack([np.cos(angle), np.sin(angle)], 1), np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], 1)
x = np.where(y[:, None], lower, upper) + 0.1 * rng.normal(size=(600, 2))
x = ((x - x.mean(0)) / x.std(0)).astype(np.float32)
train, held = (x[:450], y[:450]), (x[450:], y[450:])

cr.seed(9)
model = cr.models.MLP(2, 24, 24, 2, activation="gelu")
cr.fit(model, train, optimizer=cr.optim.Adam(model, lr=0.01), epochs=25, validation=held, progress=False)
score = cr.evaluate(model, held)["accuracy"]
