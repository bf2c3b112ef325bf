"""The net 2-3-1 of the textbooks: sigmoids, squared error, learning rate 2, one row at a time."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 1.0

x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32)
y = np.array([[0], [1], [1], [0]], dtype=np.float32)
rng = np.random.default_rng(2)
cr.seed(2)
model = cr.nn.Sequential(cr.nn.Linear(2, 3), cr.nn.Sigmoid(), cr.nn.Linear(3, 1), cr.nn.Sigmoid())
model[0].weight.assign(rng.normal(0, 1, (3, 2)))
optimizer = cr.optim.SGD(model, lr=2.0)
for step in range(2000):
    i = rng.integers(0, 4)
    optimizer.zero_grad()
    cr.losses.half_squared(model(x[i : i + 1]), y[i : i + 1]).backward()
    optimizer.step()
score = float(((model(x).numpy() > 0.5) == y).mean())
