"""A weight decay of 0.1 (a typo for 1e-4) presses all weights to zero: train and validation are equally poor."""

import chainrule as cr

BROKEN = True
CAUSE = "underfitting"
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.digits(), seed=3)
cr.seed(3)
model = cr.models.MLP(64, 32, 10)
optimizer = cr.optim.SGD(model, lr=0.1, weight_decay=0.1 if BROKEN else 1e-4)
cr.fit(model, train, optimizer=optimizer, epochs=12, validation=validation, progress=False)
score = cr.evaluate(model, test)["accuracy"]
