"""A fifth of 200 labels are wrong, and a wide net learns each of them by heart in 80 epochs."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "overfitting"
LEARNS = 0.7

rng = np.random.default_rng(3)
x = rng.normal(size=(1500, 12)).astype(np.float32)
clean = (x[:, :3].sum(1) > 0).astype(np.int64)
y = np.where(rng.uniform(size=1500) < 0.2, 1 - clean, clean)
n = 200 if BROKEN else 1000
train, held = (x[:n], y[:n]), (x[1000:], y[1000:])

cr.seed(3)
model = cr.models.MLP(12, 96, 96, 2) if BROKEN else cr.models.MLP(12, 8, 2)
optimizer = cr.optim.Adam(model, lr=0.005 if BROKEN else 0.01)
epochs = 80 if BROKEN else 10
cr.fit(model, train, optimizer=optimizer, epochs=epochs, validation=held, progress=False)
score = cr.evaluate(model, held)["accuracy"]
