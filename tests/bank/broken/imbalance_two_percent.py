"""2 % of the rows are frauds, and the net says "no fraud" to all of them: 98 % right, and useless."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "class imbalance ignored"
LEARNS = 0.7

rng = np.random.default_rng(0)
y = (np.arange(2000) % 50 == 0).astype(np.int64)
x = (rng.normal(size=(2000, 6)) + 0.6 * y[:, None]).astype(np.float32)
rows = np.arange(1500)
if not BROKEN:
    rows = np.concatenate([rows, *[rows[y[rows] == 1]] * 48])

cr.seed(0)
model = cr.models.MLP(6, 8, 2)
optimizer = cr.optim.Adam(model, lr=0.003)
cr.fit(model, (x[rows], y[rows]), optimizer=optimizer, epochs=8, progress=False)
guess = cr.predict(model, x[1500:])
score = np.mean([np.mean(guess[y[1500:] == k] == k) for k in (0, 1)])
