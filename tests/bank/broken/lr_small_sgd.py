"""A learning rate of 1e-7 (a slip for 1e-1): after all epochs the loss is what it was."""

import chainrule as cr

BROKEN = True
CAUSE = "learning rate too small"
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.digits())
cr.seed(0)
model = cr.models.MLP(64, 32, 10)
optimizer = cr.optim.SGD(model, lr=1e-7 if BROKEN else 0.1)
cr.fit(model, train, optimizer=optimizer, epochs=12, validation=validation, progress=False)
score = cr.evaluate(model, test)["accuracy"]
