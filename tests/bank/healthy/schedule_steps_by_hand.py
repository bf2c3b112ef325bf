"""The rate is divided by three after each third of the epochs, by hand."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.85

rng = np.random.default_rng(16)
x = rng.normal(size=(600, 4)).astype(np.float32)
y = (np.sin(x[:, :1]) * 1.5 + x[:, 1:2] * x[:, 2:3] * 0.5).astype(np.float32)

cr.seed(16)
model = cr.models.MLP(4, 48, 48, 1, activation="tanh")
optimizer = cr.optim.Adam(model, lr=0.01)
loader = cr.data.Loader(x[:480], y[:480], batch_size=32)
for epoch in range(30):
    optimizer.lr = 0.01 / 3 ** (epoch // 10)
    for xb, yb in loader.epoch(epoch):
        optimizer.zero_grad()
        cr.losses.mse(model(xb), yb).backward()
        optimizer.step()
score = cr.evaluate(model, (x[480:], y[480:]), "mse")["r2"]
