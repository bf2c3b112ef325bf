"""Softmax and log apart: the probability of a sure mistake underflows to 0, and its logarithm is −∞."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "forward"
RULE = "log of 0"
OPERATION = "log"
LAYER = ""
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.digits())
x, y = train.x * 255, train.y
if not BROKEN:
    x = x / 255
targets = np.eye(10, dtype=np.float32)[y]
cr.seed(0)
model = cr.models.MLP(64, 32, 10)
optimizer = cr.optim.Adam(model, lr=0.005)
for epoch in range(8):
    for rows in np.random.default_rng(epoch).permutation(1256).reshape(-1, 157):
        optimizer.zero_grad()
        p = cr.softmax(model(x[rows]))
        loss = -(targets[rows] * cr.log(p if BROKEN else p + 1e-7)).sum(axis=-1).mean()
        loss.backward()
        optimizer.step()
score = cr.evaluate(model, (test.x * (255 if BROKEN else 1), test.y))["accuracy"]
