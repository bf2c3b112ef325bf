"""The mean absolute percentage error on days with sales of 0: it divides by them."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "forward"
RULE = "division by zero"
OPERATION = "divide"
LAYER = ""
LEARNS = 0.8

rng = np.random.default_rng(6)
x = rng.normal(size=(400, 4)).astype(np.float32)
y = np.maximum(np.round(3 + 2 * x[:, :1] + x[:, 1:2], 1), 0 if BROKEN else 0.5).astype(np.float32)

cr.seed(6)
model = cr.models.MLP(4, 24, 1)
optimizer = cr.optim.Adam(model, lr=0.01)
loader = cr.data.Loader(x[:300], y[:300], batch_size=30)
for epoch in range(20):
    for xb, yb in loader.epoch(epoch):
        optimizer.zero_grad()
        loss = (cr.abs(model(xb) - yb) / yb).mean()
        loss.backward()
        optimizer.step()
score = cr.evaluate(model, (x[300:], y[300:]), "mse")["r2"]
