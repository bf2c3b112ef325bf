"""One logit, 3 % of positives among noisy measurements, no weights: the logit never gets above 0."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "class imbalance ignored"
LEARNS = 0.7

rng = np.random.default_rng(1)
y = (rng.uniform(size=(1600, 1)) < 0.03).astype(np.float32)
x = (rng.normal(size=(1600, 5)) + 0.7 * y).astype(np.float32)
held, wanted = x[1200:], y[1200:, 0]

cr.seed(1)
model = cr.models.MLP(5, 12, 1, activation="tanh")
optimizer = cr.optim.Adam(model, lr=0.005)
loader = cr.data.Loader(x[:1200], y[:1200], batch_size=64)
for epoch in range(10):
    for xb, yb in loader.epoch(epoch):
        optimizer.zero_grad()
        loss = cr.losses.binary_cross_entropy_with_logits(model(xb), yb, reduction="none")
        weight = np.ones_like(yb) if BROKEN else np.where(yb == 1, 30.0, 1.0).astype(np.float32)
        (loss * weight).mean().backward()
        optimizer.step()
guess = model(held).numpy()[:, 0] > 0
score = np.mean([np.mean(guess[wanted == k] == k) for k in (0, 1)])
