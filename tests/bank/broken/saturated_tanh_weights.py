"""Weights from N(0, 10²) (a standard deviation where 0.1 was meant) hold every tanh at ±1."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "saturated units"
LAYER = "act1"
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.digits())
mean = train.x.mean(0)
cr.seed(0)
model = cr.models.MLP(64, 64, 64, 10, activation="tanh")
if BROKEN:
    rng = np.random.default_rng(0)
    model.fc1.weight.assign(rng.normal(0, 10, (64, 64)))
    model.fc2.weight.assign(rng.normal(0, 10, (64, 64)))
cr.fit(model, (train.x - mean, train.y), optimizer=cr.optim.SGD(model, lr=0.1), epochs=8, progress=False)
score = cr.evaluate(model, (test.x - mean, test.y))["accuracy"]
