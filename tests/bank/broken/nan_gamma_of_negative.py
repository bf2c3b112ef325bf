"""Gamma correction x^0.45 after the images were centred: half of the pixels are negative, and have no such power."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "forward"
RULE = "a fractional power of a negative number"
OPERATION = "raise_to"
LAYER = "gamma"
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.digits())
shift = train.x.mean() if BROKEN else 0.0
cr.seed(17)
model = cr.nn.Sequential(
    gamma=cr.nn.Lambda(lambda x: cr.power(x, 0.45)),
    fc1=cr.nn.Linear(64, 32),
    act=cr.nn.ReLU(),
    fc2=cr.nn.Linear(32, 10),
)
optimizer = cr.optim.Adam(model, lr=0.005)
x = cr.tensor(train.x - np.float32(shift))
cr.fit(model, (x, train.y), optimizer=optimizer, epochs=8, progress=False)
score = cr.evaluate(model, (test.x - np.float32(shift), test.y))["accuracy"]
