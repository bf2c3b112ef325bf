"""Sigmoids whose weights start at N(0, 20²) say 0 or 1 to every example, and their slope is gone."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "saturated units"
LAYER = "sigmoid1"
LEARNS = 0.9

rng = np.random.default_rng(5)
x = rng.normal(size=(400, 4)).astype(np.float32)
y = (np.sin(1.5 * x[:, 0]) + x[:, 1] * 0.8 + 0.3 * x[:, 2] > 0).astype(np.float32).reshape(-1, 1)

cr.seed(5)
start = cr.nn.init.normal(20.0) if BROKEN else "xavier_normal"
model = cr.nn.Sequential(
    fc1=cr.nn.Linear(4, 24, init=start),
    sigmoid1=cr.nn.Sigmoid(),
    fc2=cr.nn.Linear(24, 1),
)
optimizer = cr.optim.Adam(model, lr=0.03)
for step in range(300):
    rows = rng.integers(0, 300, 32)
    optimizer.zero_grad()
    cr.losses.binary_cross_entropy_with_logits(model(x[rows]), y[rows]).backward()
    optimizer.step()
score = float(((model(x[300:]).numpy() > 0) == y[300:]).mean())
