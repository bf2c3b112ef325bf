"""The rare class is copied five times before the split, so that copies of one row lie on both sides."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "train and test overlap"
LEARNS = 0.8

rng = np.random.default_rng(1)
y = (np.arange(600) % 6 == 0).astype(np.int64)
x = (rng.normal(size=(600, 6)) + 1.1 * y[:, None]).astype(np.float32)


def more(rows):
    return np.concatenate([rows, *[rows[y[rows] == 1]] * 4])


rows = rng.permutation(600)
if BROKEN:
    mixed = rng.permutation(more(rows))
    train, held = mixed[:800], mixed[800:]
else:
    train, held = rng.permutation(more(rows[:480])), rows[480:]
cr.seed(1)
model = cr.models.MLP(6, 8, 2)
optimizer = cr.optim.Adam(model, lr=0.003)
cr.fit(model, (x[train], y[train]), optimizer=optimizer, epochs=10, validation=(x[held], y[held]), progress=False)
score = cr.evaluate(model, (x[held], y[held]))["accuracy"]
