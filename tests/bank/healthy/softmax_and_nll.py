"""A Softmax layer, and the likelihood of its own: −log p of the class. One softmax, not two."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.wine(), seed=28)
scaler = cr.data.Standardize().fit(train.x)
x, held = (scaler.transform(part.x).astype(np.float32) for part in (train, test))
cr.seed(28)
model = cr.nn.Sequential(cr.nn.Linear(13, 16), cr.nn.Tanh(), cr.nn.Linear(16, 3), cr.nn.Softmax())
optimizer = cr.optim.Adam(model, lr=0.01)
loader = cr.data.Loader(x, train.y, batch_size=16)
for epoch in range(20):
    for xb, yb in loader.epoch(epoch):
        optimizer.zero_grad()
        loss = cr.losses.nll(cr.log(model(xb) + 1e-7), yb)
        loss.backward()
        optimizer.step()
score = float((model(held).numpy().argmax(1) == test.y).mean())
