"""A net computed in float16 gets incomes in euros: a first sum passes 65504, the largest number there."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "forward"
RULE = "overflow of float16"
OPERATION = "affine"
LAYER = "module.fc1"
LEARNS = 0.85

rng = np.random.default_rng(15)
income = rng.lognormal(10.3, 0.4, (400, 1))
age = rng.uniform(20, 70, (400, 1))
y = (np.log(income[:, 0]) - 10.3 + (age[:, 0] - 45) / 30 > 0).astype(np.int64)
x = np.hstack([income, age]).clip(0, 60000)
if not BROKEN:
    x = (x - x.mean(0)) / x.std(0)
x = x.astype(np.float32)

cr.seed(15)
net = cr.nn.Sequential(fc1=cr.nn.Linear(2, 16, init=cr.nn.init.normal(1.0)), act1=cr.nn.ReLU(), fc2=cr.nn.Linear(16, 2))
model = cr.nn.LowPrecision(net, "float16")
optimizer = cr.optim.Adam(model, lr=0.02)
for step in range(150):
    rows = np.arange(50) + 50 * (step % 6)
    optimizer.zero_grad()
    cr.losses.cross_entropy(model(x[rows]), y[rows]).backward()
    optimizer.step()
score = cr.evaluate(model, (x[300:], y[300:]))["accuracy"]
