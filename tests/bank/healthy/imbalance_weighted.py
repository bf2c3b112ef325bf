"""One row in ten is positive, and weighs nine times as much."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.8

rng = np.random.default_rng(20)
y = (np.arange(1500) % 10 == 0).astype(np.float32)[:, None]
x = (rng.normal(size=(1500, 6)) + y).astype(np.float32)
cr.seed(20)
model = cr.models.MLP(6, 12, 1, activation="tanh")
optimizer = cr.optim.Adam(model, lr=0.005)
loader = cr.data.Loader(x[:1200], y[:1200], batch_size=60)
for epoch in range(12):
    for xb, yb in loader.epoch(epoch):
        optimizer.zero_grad()
        loss = cr.losses.binary_cross_entropy_with_logits(model(xb), yb, reduction="none")
        (loss * (1 + 8 * yb)).mean().backward()
        optimizer.step()
guess = model(x[1200:]).numpy() > 0
score = float(np.mean([(guess == y[1200:])[y[1200:] == k].mean() for k in (0, 1)]))
