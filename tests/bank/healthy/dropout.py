"""Dropout of 0.3 twice; fit switches it off where it measures."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.93

train, validation, test = cr.data.split(cr.data.digits(), seed=14)
cr.seed(14)
model = cr.models.MLP(64, 96, 48, 10, dropout=0.3)
cr.fit(model, train, optimizer=cr.optim.Adam(model, lr=0.003), epochs=15, validation=validation, progress=False)
score = cr.evaluate(model, test)["accuracy"]
