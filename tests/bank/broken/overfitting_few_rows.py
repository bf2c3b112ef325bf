"""Twenty noisy rows, a net of width 256, 300 epochs: it knows them by heart, and the validation loss climbs."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "overfitting"
LEARNS = 0.8

rng = np.random.default_rng(0)
x = rng.normal(size=(820, 10)).astype(np.float32)
y = (x[:, 0] + x[:, 1] + 0.7 * rng.normal(size=820) > 0).astype(np.int64)
n = 20 if BROKEN else 600
held = (x[620:], y[620:])

cr.seed(0)
model = cr.models.MLP(10, 256, 2) if BROKEN else cr.models.MLP(10, 8, 2)
optimizer = cr.optim.Adam(model, lr=0.005)
epochs = 200 if BROKEN else 15
cr.fit(model, (x[:n], y[:n]), optimizer=optimizer, epochs=epochs, validation=held, progress=False)
score = cr.evaluate(model, held)["accuracy"]
