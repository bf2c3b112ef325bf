"""The variance as E[x²] − E[x]²: for values around 3000 rounding leaves a number below 0, and then comes the root."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "forward"
RULE = "sqrt of a negative number"
OPERATION = "sqrt"
LAYER = "norm"
LEARNS = 0.85


class Standardise(cr.nn.Module):
    def forward(self, x):
        mean = x.mean(axis=0, keepdims=True)
        if BROKEN:
            variance = (x**2).mean(axis=0, keepdims=True) - mean**2
        else:
            variance = ((x - mean) ** 2).mean(axis=0, keepdims=True)
        return (x - mean) / cr.sqrt(variance)


rng = np.random.default_rng(16)
kelvin = 3000 + 0.05 * rng.normal(size=(400, 6))
x = np.hstack([kelvin, rng.normal(size=(400, 2))]).astype(np.float32)
y = (x[:, 6] + x[:, 7] + 0.3 * rng.normal(size=400) > 0).astype(np.int64)
cr.seed(16)
model = cr.nn.Sequential(norm=Standardise(), fc=cr.nn.Linear(8, 2))
optimizer = cr.optim.Adam(model, lr=0.03)
for step in range(120):
    rows = np.arange(50) + 50 * (step % 6)
    optimizer.zero_grad()
    cr.losses.cross_entropy(model(x[rows]), y[rows]).backward()
    optimizer.step()
score = float(np.mean(model(x[300:]).numpy().argmax(1) == y[300:]))
