"""A decay meant per epoch is called per step: after 30 steps of halving the rate is a billionth."""

import chainrule as cr

BROKEN = True
CAUSE = "learning rate too small"
LEARNS = 0.85

train, validation, test = cr.data.split(cr.data.digits(), seed=2)
cr.seed(2)
model = cr.models.MLP(64, 32, 10)
optimizer = cr.optim.SGD(model, lr=0.1)
decay = cr.optim.StepDecay(0.1, every=1 if BROKEN else 160, factor=0.5)
cr.fit(model, train, optimizer=optimizer, epochs=12, schedule=decay, progress=False)
score = cr.evaluate(model, test)["accuracy"]
