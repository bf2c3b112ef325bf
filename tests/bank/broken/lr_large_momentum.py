"""SGD at 0.1 with momentum 0.95 on a regression: more than the curvature allows, so the loss swings."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "learning rate too large"
LEARNS = 0.85

rng = np.random.default_rng(2)
x = rng.normal(size=(500, 6)).astype(np.float32)
y = np.tanh(x @ rng.normal(size=(6, 1))).astype(np.float32) + 0.1 * rng.normal(size=(500, 1)).astype(np.float32)

cr.seed(2)
model = cr.models.MLP(6, 32, 1, activation="tanh")
lr = 0.1 if BROKEN else 0.005
optimizer = cr.optim.SGD(model, lr=lr, momentum=0.95)
cr.fit(model, (x[:400], y[:400]), "mse", optimizer, epochs=20, progress=False)
score = cr.evaluate(model, (x[400:], y[400:]), "mse")["r2"]
