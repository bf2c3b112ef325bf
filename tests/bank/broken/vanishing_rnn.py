"""Recurrent weights scaled by 0.1: over 50 steps nothing is left of the first sign, which is the label."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "vanishing gradients"
LAYER = "rnn"
LEARNS = 0.9

rng = np.random.default_rng(2)
x = 0.1 * rng.normal(size=(400, 50, 1)).astype(np.float32)
y = np.arange(400) % 2
x[:, 0, 0] = 2.0 * y - 1


class First(cr.nn.Module):
    def __init__(self):
        self.rnn = cr.nn.RNN(1, 16)
        self.head = cr.nn.Linear(16, 2)

    def forward(self, x):
        return self.head(self.rnn(x)[1][-1])


cr.seed(2)
model = First()
model.rnn.weight_hh_l0.assign(cr.nn.init.draw(cr.nn.init.orthogonal(0.1 if BROKEN else 1.0), (16, 16)))
cr.fit(model, (x[:300], y[:300]), optimizer=cr.optim.Adam(model, lr=0.003), epochs=12, clip_norm=1.0, progress=False)
score = cr.evaluate(model, (x[300:], y[300:]))["accuracy"]
