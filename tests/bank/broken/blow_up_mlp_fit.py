"""Momentum SGD at 1.0 on a ReLU regression net: the loss passes every bound within an epoch."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "learning rate blow-up"
LEARNS = 0.75

rng = np.random.default_rng(1)
x = rng.normal(size=(500, 8)).astype(np.float32)
y = (np.sin(x[:, :1]) + x[:, 1:2] * x[:, 2:3] + 3.0).astype(np.float32)

cr.seed(1)
model = cr.models.MLP(8, 64, 64, 1, activation="leaky_relu")
optimizer = cr.optim.SGD(model, lr=1.0 if BROKEN else 0.01, momentum=0.9)
cr.fit(model, (x[:400], y[:400]), "mse", optimizer, epochs=30, progress=False)
score = cr.evaluate(model, (x[400:], y[400:]), "mse")["r2"]
