"""Digits, one hidden layer of ReLUs, Adam, a validation set: the usual case."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.93

train, validation, test = cr.data.split(cr.data.digits())
cr.seed(0)
model = cr.models.MLP(64, 32, 10)
optimizer = cr.optim.Adam(model, lr=0.005)
cr.fit(model, train, optimizer=optimizer, epochs=12, validation=validation, progress=False)
score = cr.evaluate(model, test)["accuracy"]
