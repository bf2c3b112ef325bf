"""A trained body stays frozen and in evaluation mode, and a new head is trained on top: as it should be."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.digits(), seed=19)
cr.seed(19)
body = cr.nn.Sequential(cr.nn.Linear(64, 48), cr.nn.BatchNorm1d(48), cr.nn.ReLU())
old = cr.nn.Sequential(body=body, head=cr.nn.Linear(48, 2))
optimizer = cr.optim.Adam(old, lr=0.005)
cr.fit(old, (train.x, train.y % 2), optimizer=optimizer, epochs=6, progress=False)

model = cr.nn.Sequential(body=body, head=cr.nn.Linear(48, 10))
for p in body.parameters():
    p.requires_grad = False
optimizer = cr.optim.Adam(model.head, lr=0.02)
for epoch in range(8):
    model.train()
    body.eval()
    for rows in np.random.default_rng(epoch).permutation(len(train.x))[:1248].reshape(39, 32):
        optimizer.zero_grad()
        cr.losses.cross_entropy(model(train.x[rows]), train.y[rows]).backward()
        optimizer.step()
score = cr.evaluate(model, test)["accuracy"]
