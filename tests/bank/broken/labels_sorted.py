"""The targets were sorted on their way through a table, the inputs were not: rows no longer belong together."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "labels not learnable"
LEARNS = 0.9

rng = np.random.default_rng(1)
x = rng.normal(size=(600, 5)).astype(np.float32)
y = (x[:, :1] + 0.5 * x[:, 1:2] * x[:, 2:3] + 0.1 * rng.normal(size=(600, 1))).astype(np.float32)
order = rng.permutation(600)
y = y[np.argsort(y[:, 0])][order] if BROKEN else y[order]
x = x[order]

cr.seed(1)
model = cr.models.MLP(5, 24, 1, activation="tanh")
train, held = (x[:480], y[:480]), (x[480:], y[480:])
cr.fit(model, train, "mse", cr.optim.Adam(model, lr=0.01), epochs=30, validation=held, progress=False)
score = cr.evaluate(model, held, "mse")["r2"]
