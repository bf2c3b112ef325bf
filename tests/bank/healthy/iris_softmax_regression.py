"""Iris by softmax regression: a linear model, and lines are enough for it."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.iris())
scaler = cr.data.Standardize().fit(train.x)
cr.seed(3)
model = cr.nn.Linear(4, 3)
data = (scaler.transform(train.x), train.y)
held = (scaler.transform(validation.x), validation.y)
cr.fit(model, data, optimizer=cr.optim.SGD(model, lr=0.2), epochs=60, validation=held, progress=False)
score = cr.evaluate(model, (scaler.transform(test.x), test.y))["accuracy"]
