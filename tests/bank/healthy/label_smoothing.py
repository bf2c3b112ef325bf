"""Labels smoothed by 0.1: the loss cannot come to 0, and need not."""

from functools import partial

import chainrule as cr

CAUSE = ""
LEARNS = 0.93

train, validation, test = cr.data.split(cr.data.digits(), seed=22)
cr.seed(22)
model = cr.models.MLP(64, 48, 10)
loss = partial(cr.losses.cross_entropy, label_smoothing=0.1)
cr.fit(model, train, loss, cr.optim.Adam(model, lr=0.005), epochs=10, validation=validation, progress=False)
score = cr.evaluate(model, test)["accuracy"]
