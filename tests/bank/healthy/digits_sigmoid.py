"""Digits with one hidden layer of sigmoids."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.92

train, validation, test = cr.data.split(cr.data.digits(), seed=2)
cr.seed(2)
model = cr.models.MLP(64, 32, 10, activation="sigmoid")
cr.fit(model, train, optimizer=cr.optim.Adam(model, lr=0.01), epochs=15, validation=validation, progress=False)
score = cr.evaluate(model, test)["accuracy"]
