"""Input weights of a tanh RNN from N(0, 30²): its state jumps between −1 and 1 and can hold no amount."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "saturated units"
LAYER = "rnn"
LEARNS = 0.8

rng = np.random.default_rng(6)
x = rng.normal(size=(400, 12, 1)).astype(np.float32)
y = x[:, -4:, 0].mean(1, keepdims=True)


class Mean(cr.nn.Module):
    def __init__(self):
        self.rnn = cr.nn.RNN(1, 24)
        self.head = cr.nn.Linear(24, 1)

    def forward(self, x):
        return self.head(self.rnn(x)[0][:, -1])


cr.seed(6)
model = Mean()
if BROKEN:
    model.rnn.weight_ih_l0.assign(rng.normal(0, 30, (24, 1)))
cr.fit(model, (x[:300], y[:300]), "mse", cr.optim.Adam(model, lr=0.01), epochs=25, progress=False)
score = cr.evaluate(model, (x[300:], y[300:]), "mse")["r2"]
