"""One output and the squared error on class numbers 0 .. 9: a 3 is taken to lie between a 2 and a 4."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "loss does not fit output"
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.digits(), seed=1)
cr.seed(1)
model = cr.models.MLP(64, 32, 1 if BROKEN else 10)
loss = "mse" if BROKEN else "cross-entropy"
cr.fit(model, (train.x, train.y), loss, cr.optim.Adam(model, lr=0.005), epochs=12, progress=False)
out = model(test.x).numpy()
guess = np.rint(out[:, 0]) if BROKEN else out.argmax(1)
score = float(np.mean(guess == test.y))
