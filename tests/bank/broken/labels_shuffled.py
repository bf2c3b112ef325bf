"""The images are shuffled, and the labels are forgotten: no image has its own label but by chance."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "labels not learnable"
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.digits())
order = np.random.default_rng(0).permutation(len(train.x))
x = train.x[order]
y = train.y if BROKEN else train.y[order]
cr.seed(0)
model = cr.models.MLP(64, 24, 10)
optimizer = cr.optim.Adam(model, lr=0.003)
cr.fit(model, (x, y), optimizer=optimizer, epochs=12, validation=validation, progress=False)
score = cr.evaluate(model, test)["accuracy"]
