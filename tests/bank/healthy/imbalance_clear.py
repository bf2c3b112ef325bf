"""Three per cent of the parts are broken, but it is easy to see which: no weights are needed."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.9

rng = np.random.default_rng(21)
y = (np.arange(1600) % 33 == 0).astype(np.int64)
x = (rng.normal(size=(1600, 5)) + 3 * y[:, None]).astype(np.float32)
cr.seed(21)
model = cr.models.MLP(5, 12, 2)
optimizer = cr.optim.Adam(model, lr=0.01)
train, held = (x[:1200], y[:1200]), (x[1200:], y[1200:])
cr.fit(model, train, optimizer=optimizer, epochs=10, validation=held, progress=False)
guess = cr.predict(model, held[0])
score = float(np.mean([(guess == held[1])[held[1] == k].mean() for k in (0, 1)]))
