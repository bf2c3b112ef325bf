"""Steps of a fixed length along the gradient, shortened over time."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.93

rng = np.random.default_rng(44)
y = rng.integers(0, 3, 600)
x = 2.2 * rng.normal(size=(3, 4))[y] + rng.normal(size=(600, 4))
x = ((x - x.mean(0)) / x.std(0)).astype(np.float32)
cr.seed(44)
model = cr.models.MLP(4, 16, 3, activation="tanh")
optimizer = cr.optim.NormalizedGD(model, lr=0.2)
rate = cr.optim.Exponential(0.2, decay=0.01)
cr.fit(model, (x[:480], y[:480]), optimizer=optimizer, epochs=15, schedule=rate, progress=False)
score = cr.evaluate(model, (x[480:], y[480:]))["accuracy"]
