"""SGD with warm-up and a cosine to zero."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.92

train, validation, test = cr.data.split(cr.data.digits(), seed=15)
cr.seed(15)
model = cr.models.MLP(64, 32, 10)
optimizer = cr.optim.SGD(model, lr=0.2, momentum=0.8)
rate = cr.optim.LinearWarmup(40, then=cr.optim.Cosine(0.2, steps=360))
cr.fit(model, train, optimizer=optimizer, epochs=10, schedule=rate, validation=validation, progress=False)
score = cr.evaluate(model, test)["accuracy"]
