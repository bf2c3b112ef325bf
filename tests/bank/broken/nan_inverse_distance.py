"""Weights by inverse squared distance, d^−2: where a query meets a stored point, the distance is 0."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "forward"
RULE = "0 to a negative power"
OPERATION = "raise_to"
LAYER = "memory"
LEARNS = 0.8


class Memory(cr.nn.Module):
    def __init__(self, places):
        self.places, self.values = places, cr.nn.Parameter(np.zeros((len(places), 1), np.float32))

    def forward(self, x):
        distance = cr.abs(cr.expand_dims(x, 1) - self.places).sum(axis=-1)
        weight = cr.power(distance if BROKEN else distance + 0.05, -2.0)
        return cr.matmul(weight / weight.sum(axis=1, keepdims=True), self.values)


rng = np.random.default_rng(18)
x = rng.uniform(-2, 2, (400, 2)).astype(np.float32)
y = (np.sin(2 * x[:, :1]) + x[:, 1:]).astype(np.float32)
model = cr.nn.Sequential(memory=Memory(x[:80]))
optimizer = cr.optim.Adam(model, lr=0.1)
for step in range(100):
    rows = np.arange(60) + 60 * (step % 5)
    optimizer.zero_grad()
    cr.losses.mse(model(x[rows]), y[rows]).backward()
    optimizer.step()
score = 1 - float(((model(x[300:]).numpy() - y[300:]) ** 2).mean() / y[300:].var())
