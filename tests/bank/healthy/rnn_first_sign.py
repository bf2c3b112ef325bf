"""The label is the sign of the first of 30 numbers; orthogonal recurrent weights carry it to the end."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.95

rng = np.random.default_rng(5)
x = 0.1 * rng.normal(size=(400, 30, 1)).astype(np.float32)
y = np.arange(400) % 2
x[:, 0, 0] = 2.0 * y - 1


class First(cr.nn.Module):
    def __init__(self):
        self.rnn = cr.nn.RNN(1, 16)
        self.head = cr.nn.Linear(16, 2)

    def forward(self, x):
        return self.head(self.rnn(x)[1][-1])


cr.seed(5)
model = First()
model.rnn.weight_hh_l0.assign(cr.nn.init.draw(cr.nn.init.orthogonal(), (16, 16)))
optimizer = cr.optim.Adam(model, lr=0.003)
cr.fit(model, (x[:300], y[:300]), optimizer=optimizer, epochs=10, clip_norm=1.0, progress=False)
score = cr.evaluate(model, (x[300:], y[300:]))["accuracy"]
