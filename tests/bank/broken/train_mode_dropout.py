"""Validation runs with dropout switched on: half of the units are missing whenever the accuracy is measured."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "training mode in evaluation"
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.digits())
cr.seed(0)
model = cr.models.MLP(64, 64, 10, dropout=0.5)
optimizer = cr.optim.Adam(model, lr=0.005)
loader = cr.data.Loader(train.x, train.y, batch_size=32)
accuracies = []
for epoch in range(8):
    model.train()
    for x, y in loader.epoch(epoch):
        optimizer.zero_grad()
        cr.losses.cross_entropy(model(x), y).backward()
        optimizer.step()
    if not BROKEN:
        model.eval()
    with cr.no_grad():
        accuracies.append(np.mean(model(validation.x).numpy().argmax(1) == validation.y))
score = float(accuracies[-1])
