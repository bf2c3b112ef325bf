"""LayerNorm with eps=0 after a ReLU: for some row all units are 0, the variance is 0, and so is the divisor."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "forward"
RULE = "division by a variance of zero"
OPERATION = "standardise"
LAYER = "norm"
LEARNS = 0.85

rng = np.random.default_rng(8)
x = rng.normal(size=(400, 3)).astype(np.float32)
y = (x[:, 0] * x[:, 1] > 0).astype(np.int64)
x[10] = 0  # a row that was not filled in

cr.seed(8)
model = cr.nn.Sequential(
    fc1=cr.nn.Linear(3, 24, init="he_normal"),
    act1=cr.nn.ReLU(),
    norm=cr.nn.LayerNorm(24, eps=0.0 if BROKEN else 1e-5),
    fc2=cr.nn.Linear(24, 2),
)
optimizer = cr.optim.Adam(model, lr=0.01)
for epoch in range(20):
    for rows in np.arange(300).reshape(10, 30):
        optimizer.zero_grad()
        cr.losses.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
score = cr.evaluate(model, (x[300:], y[300:]))["accuracy"]
