"""A learning rate of 30 for SGD: every step leaps across the valley, and the loss jumps about and never settles."""

import chainrule as cr

BROKEN = True
CAUSE = "learning rate too large"
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.digits())
mean = train.x.mean(0)
cr.seed(0)
model = cr.models.MLP(64, 32, 10, activation="tanh")
lr = 30.0 if BROKEN else 0.1
cr.fit(model, (train.x - mean, train.y), optimizer=cr.optim.SGD(model, lr=lr), epochs=10, progress=False)
score = cr.evaluate(model, (test.x - mean, test.y))["accuracy"]
