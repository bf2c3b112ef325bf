"""Four batches make one update."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.92

train, validation, test = cr.data.split(cr.data.digits(), seed=17)
cr.seed(17)
model = cr.models.MLP(64, 32, 10)
optimizer = cr.optim.Adam(model, lr=0.01)
cr.fit(model, train, optimizer=optimizer, epochs=15, batch_size=16, accumulate=4, progress=False)
score = cr.evaluate(model, test)["accuracy"]
