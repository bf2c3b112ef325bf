"""where(n > 0, s / n, 0) with a soft count n of 0: the quotient is left out forwards, and comes back as 0 · ∞."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "backward"
RULE = "0 · ∞ in the derivative of divide"
OPERATION = "divide"
LAYER = "mean"
LEARNS = 0.85


class GatedMean(cr.nn.Module):
    def __init__(self):
        self.gate, self.value = cr.nn.Linear(3, 1), cr.nn.Linear(3, 4)

    def forward(self, x):  # (n, items, 3) to (n, 4)
        g = cr.relu(self.gate(x))
        n = g.sum(axis=1)
        inside = n if BROKEN else cr.where(n > 0, n, 1.0)
        return cr.where(n > 0, (g * self.value(x)).sum(axis=1) / inside, 0.0)


rng = np.random.default_rng(20)
x = rng.normal(size=(400, 4, 3)).astype(np.float32)
y = (x[:, :, 0].sum(1) > 0).astype(np.int64)
cr.seed(20)
model = cr.nn.Sequential(mean=GatedMean(), fc1=cr.nn.Linear(4, 16), act=cr.nn.Tanh(), fc2=cr.nn.Linear(16, 2))
optimizer = cr.optim.Adam(model, lr=0.01)
for step in range(300):
    rows = rng.integers(0, 300, 40)
    optimizer.zero_grad()
    cr.losses.cross_entropy(model(x[rows]), y[rows]).backward()
    optimizer.step()
score = float(np.mean(model(x[300:]).numpy().argmax(1) == y[300:]))
