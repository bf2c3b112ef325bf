"""Counts of events by a net that gives the logarithm of their rate; its loss may be negative."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.5

rng = np.random.default_rng(31)
x = rng.normal(size=(800, 3)).astype(np.float32)
rate = np.exp(1.0 + 0.6 * x[:, :1] - 0.4 * x[:, 1:2])
y = rng.poisson(rate).astype(np.float32)
cr.seed(31)
model = cr.nn.Linear(3, 1)
optimizer = cr.optim.Adam(model, lr=0.02)
for step in range(250):
    rows = rng.integers(0, 640, 40)
    optimizer.zero_grad()
    z = model(x[rows])
    (cr.exp(z) - y[rows] * z).mean().backward()
    optimizer.step()
predicted = np.exp(model(x[640:]).numpy())
score = 1 - float(((y[640:] - predicted) ** 2).mean() / y[640:].var())
