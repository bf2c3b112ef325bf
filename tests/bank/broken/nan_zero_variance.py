"""Standardising inside of the model without ε: one sensor was off, and its column does not vary."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "forward"
RULE = "division by a variance of zero"
OPERATION = "divide"
LAYER = "norm"
LEARNS = 0.85


class Standardise(cr.nn.Module):
    def forward(self, x):
        centred = x - x.mean(axis=0, keepdims=True)
        variance = (centred**2).mean(axis=0, keepdims=True)
        return centred / cr.sqrt(variance if BROKEN else variance + 1e-5)


rng = np.random.default_rng(7)
x = (rng.normal(size=(320, 5)) * [1, 4, 0.2, 1, 0] + [0, 3, 0, 1, 0]).astype(np.float32)
y = (x[:, 0] + (x[:, 1] - 3) / 4 > 0).astype(np.int64)
cr.seed(7)
model = cr.nn.Sequential(norm=Standardise(), fc1=cr.nn.Linear(5, 16), act=cr.nn.Tanh(), fc2=cr.nn.Linear(16, 2))
cr.fit(model, (x[:256], y[:256]), optimizer=cr.optim.Adam(model, lr=0.01), epochs=15, progress=False)
score = cr.evaluate(model, (x[256:], y[256:]))["accuracy"]
