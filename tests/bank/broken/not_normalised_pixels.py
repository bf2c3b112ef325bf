"""Pixels of 0 .. 255 go into the net as they come from the file."""

import chainrule as cr

BROKEN = True
CAUSE = "data not normalised"
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.digits())
scale = 255.0 if BROKEN else 1.0
cr.seed(0)
model = cr.models.MLP(64, 32, 10, activation="sigmoid")
optimizer = cr.optim.SGD(model, lr=0.5)
cr.fit(model, (train.x * scale, train.y), optimizer=optimizer, epochs=15, progress=False)
score = cr.evaluate(model, (test.x * scale, test.y))["accuracy"]
