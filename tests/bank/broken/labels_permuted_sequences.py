"""Sequences are dealt out in a random order of their own, and each meets the label of another one."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "labels not learnable"
LEARNS = 0.9

rng = np.random.default_rng(3)
x = rng.normal(size=(500, 12, 1)).astype(np.float32)
y = (x[:, :, 0].sum(1) > 0).astype(np.int64)


class Sign(cr.nn.Module):
    def __init__(self):
        self.gru = cr.nn.GRU(1, 12)
        self.fc = cr.nn.Linear(12, 2)

    def forward(self, x):
        return self.fc(self.gru(x)[1][-1])


cr.seed(3)
model = Sign()
rows = rng.permutation(400)
data = (x[:400][rows], y[:400] if BROKEN else y[:400][rows])
optimizer = cr.optim.Adam(model, lr=0.01)
cr.fit(model, data, optimizer=optimizer, epochs=12, validation=(x[400:], y[400:]), progress=False)
score = cr.evaluate(model, (x[400:], y[400:]))["accuracy"]
