"""One sigmoid neuron learns AND."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 1.0

x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32)
y = np.array([[0], [0], [0], [1]], dtype=np.float32)
cr.seed(1)
model = cr.nn.Sequential(cr.nn.Linear(2, 1), cr.nn.Sigmoid())
optimizer = cr.optim.SGD(model, lr=1.0)
for step in range(300):
    optimizer.zero_grad()
    cr.losses.binary_cross_entropy(model(x), y).backward()
    optimizer.step()
score = float(((model(x).numpy() > 0.5) == y).mean())
