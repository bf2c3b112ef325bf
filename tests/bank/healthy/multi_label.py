"""Four questions to each row, each answered by yes or no."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.88

rng = np.random.default_rng(23)
x = rng.normal(size=(700, 8)).astype(np.float32)
y = (x @ rng.normal(size=(8, 4)) + 0.3 * rng.normal(size=(700, 4)) > 0).astype(np.float32)
cr.seed(23)
model = cr.models.MLP(8, 24, 4)
train, held = (x[:560], y[:560]), (x[560:], y[560:])
cr.fit(model, train, "bce", cr.optim.Adam(model, lr=0.01), epochs=12, validation=held, progress=False)
score = float(((model(held[0]).numpy() > 0) == held[1]).mean())
