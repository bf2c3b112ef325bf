"""Dropout of 0.9 in a net of width 32: one or two units are left a step, and they cannot learn ten digits."""

import chainrule as cr

BROKEN = True
CAUSE = "underfitting"
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.digits(), seed=4)
cr.seed(4)
model = cr.models.MLP(64, 32, 32, 10, dropout=0.9 if BROKEN else 0.1)
optimizer = cr.optim.Adam(model, lr=0.003)
cr.fit(model, train, optimizer=optimizer, epochs=15, validation=validation, progress=False)
score = cr.evaluate(model, test)["accuracy"]
