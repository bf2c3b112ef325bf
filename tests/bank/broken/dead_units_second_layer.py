"""The second hidden layer starts at biases of −20 (a wrong sign and a wrong unit): nothing passes from there on."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "dead units"
LAYER = "act2"
LEARNS = 0.8

rng = np.random.default_rng(3)
x = rng.uniform(-2, 2, (400, 2)).astype(np.float32)
y = np.sin(2 * x[:, :1]) * x[:, 1:] + 0.05 * rng.normal(size=(400, 1)).astype(np.float32)

cr.seed(3)
model = cr.models.MLP(2, 32, 32, 1)
if BROKEN:
    model.fc2.bias.assign(np.full(32, -20.0))
cr.fit(model, (x[:300], y[:300]), "mse", cr.optim.Adam(model, lr=0.01), epochs=40, progress=False)
score = cr.evaluate(model, (x[300:], y[300:]), "mse")["r2"]
