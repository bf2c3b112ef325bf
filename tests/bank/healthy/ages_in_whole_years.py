"""Ages are whole numbers and yet quantities: the squared error is right for them, once they are scaled."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.8

rng = np.random.default_rng(32)
age = rng.integers(18, 80, 600)
x = np.stack([age / 20 + 0.3 * rng.normal(size=600), np.sqrt(age) + 0.5 * rng.normal(size=600)], 1)
x = ((x - x.mean(0)) / x.std(0)).astype(np.float32)
y = ((age - 48) / 18).astype(np.float32)[:, None]
cr.seed(32)
model = cr.models.MLP(2, 16, 1)
train, held = (x[:480], y[:480]), (x[480:], y[480:])
cr.fit(model, train, "mse", cr.optim.Adam(model, lr=0.005), epochs=20, validation=held, progress=False)
score = cr.evaluate(model, held, "mse")["r2"]
