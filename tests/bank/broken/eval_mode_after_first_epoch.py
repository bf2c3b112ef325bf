"""The validation behind each epoch sets eval(), and nothing sets train() again: batch norm stops after epoch 1."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "evaluation mode in training"
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.breast_cancer(), seed=1)
scaler = cr.data.Standardize().fit(train.x)
x, held, y = *(scaler.transform(part.x).astype(np.float32) for part in (train, test)), train.y
cr.seed(1)
model = cr.models.MLP(30, 16, 16, 2, batch_norm=True)
optimizer = cr.optim.SGD(model, lr=0.05)
for epoch in range(12):
    if not BROKEN:
        model.train()
    for rows in np.array_split(np.random.default_rng(epoch).permutation(len(x)), 12):
        optimizer.zero_grad()
        cr.losses.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
    model.eval()
    score = float((model(held).numpy().argmax(1) == test.y).mean())
