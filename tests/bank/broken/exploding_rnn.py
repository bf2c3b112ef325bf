"""Recurrent weights with a gain of 1.6 in a ReLU RNN over 30 steps: the gradient grows with every step back."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "exploding gradients"
LAYER = "rnn"
LEARNS = 0.8

rng = np.random.default_rng(1)
x = rng.uniform(0, 1, (400, 30, 1)).astype(np.float32)
y = (x.sum(1) - 15) / 1.6


class Sum(cr.nn.Module):
    def __init__(self):
        self.rnn = cr.nn.RNN(1, 16, nonlinearity="relu")
        self.head = cr.nn.Linear(16, 1)

    def forward(self, x):
        return self.head(self.rnn(x)[1][-1])


cr.seed(1)
model = Sum()
model.rnn.weight_hh_l0.assign((1.6 if BROKEN else 1.0) * np.eye(16))
optimizer = cr.optim.Adam(model, lr=0.005)
for step in range(400):
    rows = rng.integers(0, 300, 32)
    optimizer.zero_grad()
    cr.losses.mse(model(x[rows]), y[rows]).backward()
    optimizer.step()
score = cr.evaluate(model, (x[300:], y[300:]), "mse")["r2"]
