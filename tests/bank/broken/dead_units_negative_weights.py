"""Weights drawn from −|N(0, 1)| meet pixels, which are never negative: every sum is negative and every ReLU is 0."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "dead units"
LAYER = "relu1"
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.digits())
cr.seed(1)
model = cr.nn.Sequential(
    fc1=cr.nn.Linear(64, 48, init="he_normal"),
    relu1=cr.nn.ReLU(),
    fc2=cr.nn.Linear(48, 10, init="he_normal"),
)
if BROKEN:
    model.fc1.weight.assign(-np.abs(model.fc1.weight.numpy()))
cr.fit(model, train, optimizer=cr.optim.SGD(model, lr=0.1, momentum=0.9), epochs=8, progress=False)
score = cr.evaluate(model, test)["accuracy"]
