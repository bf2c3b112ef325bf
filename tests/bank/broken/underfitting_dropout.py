"""Dropout of 0.95 (where 0.05 was meant) in two layers of 32: one or two units are left, too few for ten digits."""

import chainrule as cr

BROKEN = True
CAUSE = "underfitting"
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.digits(), seed=4)
cr.seed(4)
model = cr.models.MLP(64, 32, 32, 10, activation="tanh", dropout=0.95 if BROKEN else 0.05)
optimizer = cr.optim.Adam(model, lr=0.003)
cr.fit(model, train, optimizer=optimizer, epochs=15, validation=validation, progress=False)
score = cr.evaluate(model, test)["accuracy"]
