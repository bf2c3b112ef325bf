"""Twelve sigmoid layers: each multiplies the gradient by a quarter at most, and the first ones never learn."""

import chainrule as cr

BROKEN = True
CAUSE = "vanishing gradients"
LEARNS = 0.85

train, validation, test = cr.data.split(cr.data.digits())
cr.seed(0)
model = cr.models.MLP(64, *[32] * 12, 10, activation="sigmoid" if BROKEN else "tanh")
cr.fit(model, train, optimizer=cr.optim.SGD(model, lr=0.02, momentum=0.9), epochs=15, progress=False)
score = cr.evaluate(model, test)["accuracy"]
