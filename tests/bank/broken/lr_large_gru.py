"""RMSProp at 0.5 for a GRU (a rate taken over from SGD): the loss goes up and down and ends where it began."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "learning rate too large"
LEARNS = 0.9

rng = np.random.default_rng(3)
x = rng.normal(size=(400, 10, 2)).astype(np.float32)
y = (x[:, -3:, 0].sum(1) > x[:, -3:, 1].sum(1)).astype(np.int64)


class Last(cr.nn.Module):
    def __init__(self):
        self.gru = cr.nn.GRU(2, 16)
        self.head = cr.nn.Linear(16, 2)

    def forward(self, x):
        return self.head(self.gru(x)[1][-1])


cr.seed(3)
model = Last()
optimizer = cr.optim.RMSprop(model, lr=0.5 if BROKEN else 0.005)
cr.fit(model, (x[:300], y[:300]), optimizer=optimizer, epochs=15, progress=False)
score = cr.evaluate(model, (x[300:], y[300:]))["accuracy"]
