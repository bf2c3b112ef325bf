"""The likelihood of a mixture by log Σ π exp(−d²/2): far from all centres every exp is 0, and log 0 is −∞."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "forward"
RULE = "log of 0"
OPERATION = "log"
LAYER = ""
LEARNS = -1.6

rng = np.random.default_rng(1)
x = (rng.normal(size=(300, 1)) * 0.5 + rng.choice([-8.0, 0.0, 40.0], (300, 1))).astype(np.float32)


class Mixture(cr.nn.Module):
    def __init__(self):
        self.centre = cr.nn.Parameter(np.array([-4.0, 0.0, 4.0] if BROKEN else [-6.0, 0.0, 38.0], np.float32))

    def forward(self, x):
        return -((x - self.centre) ** 2) / 2 - np.float32(np.log(3))


model = Mixture()
optimizer = cr.optim.Adam(model, lr=0.05)
for step in range(150):
    rows = rng.integers(0, 300, 50)
    optimizer.zero_grad()
    s = model(x[rows])
    likelihood = cr.log(cr.exp(s).sum(axis=-1)) if BROKEN else cr.logsumexp(s, axis=-1)
    (-likelihood.mean()).backward()
    optimizer.step()
score = cr.logsumexp(model(x), axis=-1).mean().item()
