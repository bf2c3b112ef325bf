"""A warm-up over a million steps in a run of 350: the rate never gets anywhere near its value."""

import chainrule as cr

BROKEN = True
CAUSE = "learning rate too small"
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.breast_cancer())
scaler = cr.data.Standardize().fit(train.x)
cr.seed(3)
model = cr.models.MLP(30, 16, 2)
warmup = cr.optim.LinearWarmup(1_000_000 if BROKEN else 30, then=0.05)
data = (scaler.transform(train.x), train.y)
cr.fit(model, data, optimizer=cr.optim.SGD(model, lr=0.05), epochs=25, schedule=warmup, progress=False)
score = cr.evaluate(model, (scaler.transform(test.x), test.y))["accuracy"]
