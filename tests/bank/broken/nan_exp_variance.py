"""A regression that gives a mean and a log-variance divides by exp(s) via exp(−s), and starts at s = −100."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "forward"
RULE = "overflow of exp"
OPERATION = "exp"
LAYER = ""
LEARNS = 0.8

rng = np.random.default_rng(27)
x = rng.uniform(-2, 2, (400, 1)).astype(np.float32)
y = (np.sin(2 * x) + 0.1 * np.abs(x) * rng.normal(size=x.shape)).astype(np.float32)

cr.seed(27)
model = cr.models.MLP(1, 32, 2, activation="tanh")
model.fc2.bias.assign([0.0, -100.0 if BROKEN else 0.0])
optimizer = cr.optim.Adam(model, lr=0.02)
for step in range(300):
    rows = rng.integers(0, 300, 50)
    optimizer.zero_grad()
    out = model(x[rows])
    mean, s = out[:, :1], out[:, 1:]
    loss = (s + (y[rows] - mean) ** 2 * cr.exp(-s)).mean()
    loss.backward()
    optimizer.step()
score = 1 - float(((model(x[300:]).numpy()[:, :1] - y[300:]) ** 2).mean() / y[300:].var())
