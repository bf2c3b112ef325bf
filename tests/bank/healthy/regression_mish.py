"""Three targets from six features, Mish, batches of 50."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.85

rng = np.random.default_rng(17)
x = rng.normal(size=(700, 6)).astype(np.float32)
y = np.stack([np.sin(x[:, 0]), x[:, 1] * x[:, 2], x[:, 3:].mean(1)], 1)
y = ((y - y.mean(0)) / y.std(0) + 0.1 * rng.normal(size=y.shape)).astype(np.float32)

cr.seed(17)
model = cr.nn.Sequential(cr.nn.Linear(6, 64), cr.nn.Mish(), cr.nn.Linear(64, 64), cr.nn.Mish(), cr.nn.Linear(64, 3))
optimizer = cr.optim.Adam(model, lr=0.005)
train, held = (x[:560], y[:560]), (x[560:], y[560:])
cr.fit(model, train, "mse", optimizer, epochs=35, batch_size=50, validation=held, progress=False)
score = cr.evaluate(model, held, "mse")["r2"]
