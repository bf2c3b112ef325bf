"""A penalty √|w| for sparse weights, and biases that start at 0: its slope there is infinite."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "backward"
RULE = "raise_to at 0"
OPERATION = "raise_to"
LAYER = ""
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.wine(), seed=1)
scaler = cr.data.Standardize().fit(train.x)
x = scaler.transform(train.x).astype(np.float32)
cr.seed(22)
model = cr.models.MLP(13, 12, 3)
optimizer = cr.optim.Adam(model, lr=0.01)
for epoch in range(25):
    for rows in np.array_split(np.random.default_rng(epoch).permutation(len(x)), 6):
        optimizer.zero_grad()
        loss = cr.losses.cross_entropy(model(x[rows]), train.y[rows])
        for p in model.parameters():
            size = cr.abs(p) if BROKEN else cr.abs(p) + 1e-3
            loss = loss + 1e-4 * cr.power(size, 0.5).sum()
        loss.backward()
        optimizer.step()
score = float(np.mean(model(scaler.transform(test.x).astype(np.float32)).numpy().argmax(1) == test.y))
