"""The mean squared logarithmic error of raw outputs: one that falls below −1 has no log1p."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "forward"
RULE = "log1p of a negative number"
OPERATION = "log1p"
LAYER = ""
LEARNS = 0.8

rng = np.random.default_rng(2)
x = rng.normal(size=(400, 3)).astype(np.float32)
y = np.expm1(np.abs(x[:, :1] + x[:, 1:2])).astype(np.float32)

cr.seed(2)
model = cr.models.MLP(3, 32, 1)
model.fc2.weight.assign(4 * model.fc2.weight.numpy())
optimizer = cr.optim.Adam(model, lr=0.01)
for step in range(300):
    rows = rng.integers(0, 300, 32)
    optimizer.zero_grad()
    out = model(x[rows])
    predicted = cr.log1p(out if BROKEN else cr.softplus(out))
    loss = ((predicted - np.log1p(y[rows])) ** 2).mean()
    loss.backward()
    optimizer.step()
error = cr.log1p(cr.softplus(model(x[300:]))).numpy() - np.log1p(y[300:])
score = 1 - (error**2).mean() / np.log1p(y[300:]).var()
