"""Sixty noisy points of a line and a wide net trained to the bottom: it draws the noise."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "overfitting"
LEARNS = 0.35

rng = np.random.default_rng(1)
x = rng.normal(size=(660, 8)).astype(np.float32)
y = (x[:, :1] + rng.normal(size=(660, 1))).astype(np.float32)
n = 60 if BROKEN else 460
train, held = (x[:n], y[:n]), (x[460:], y[460:])

cr.seed(1)
model = cr.models.MLP(8, 128 if BROKEN else 8, 1, activation="tanh")
optimizer = cr.optim.Adam(model, lr=0.01)
epochs = 200 if BROKEN else 8
cr.fit(model, train, "mse", optimizer, epochs=epochs, validation=held, progress=False)
score = cr.evaluate(model, held, "mse")["r2"]
