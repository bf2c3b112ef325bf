"""Biases of −10 (typed for a "sparse" start) switch every ReLU of the first layer off for every example."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "dead units"
LAYER = "act1"
LEARNS = 0.9

rng = np.random.default_rng(0)
angle = rng.uniform(0, np.pi, 400)
y = np.arange(400) % 2
upper, lower = np.stack([np.cos(angle), np.sin(angle)], 1), np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], 1)
x = np.where(y[:, None], lower, upper) + 0.1 * rng.normal(size=(400, 2))
x = ((x - x.mean(0)) / x.std(0)).astype(np.float32)

cr.seed(0)
model = cr.models.MLP(2, 32, 2)
if BROKEN:
    model.fc1.bias.assign(np.full(32, -10.0))
cr.fit(model, (x[:300], y[:300]), optimizer=cr.optim.Adam(model, lr=0.01), epochs=30, progress=False)
score = cr.evaluate(model, (x[300:], y[300:]))["accuracy"]
