"""Batch norm stays in training mode when the test rows are scored class by class: each is taken for the average."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "training mode in evaluation"
LEARNS = 0.85

rng = np.random.default_rng(1)
centres = rng.normal(size=(4, 6)) * 2
y = np.arange(480) % 4
x = (centres[y] + rng.normal(size=(480, 6))).astype(np.float32)

cr.seed(1)
model = cr.models.MLP(6, 24, 4, batch_norm=True)
optimizer = cr.optim.SGD(model, lr=0.1)
for epoch in range(10):
    model.train()
    for rows in rng.permutation(400).reshape(10, 40):
        optimizer.zero_grad()
        cr.losses.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
    if not BROKEN:
        model.eval()
    order = np.argsort(y[400:], kind="stable")  # class by class: the batch has one class at a time
    guesses = np.concatenate([model(x[400:][part]).numpy().argmax(1) for part in order.reshape(4, 20)])
    score = float(np.mean(guesses == y[400:][order]))
