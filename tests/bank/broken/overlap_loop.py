"""Windows of a series are cut with a stride of 1 from both parts of it, but the parts are the same half by a slip."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "train and test overlap"
LEARNS = 0.8

rng = np.random.default_rng(3)
time = np.arange(800)
series = np.sin(time / 5) + 0.5 * np.sin(time / 13) + 0.1 * rng.normal(size=800)
half = {"train": series[:400], "test": series[:400] if BROKEN else series[400:]}
cut = {name: np.lib.stride_tricks.sliding_window_view(s, 17).astype(np.float32) for name, s in half.items()}
x, y, held, wanted = (a for w in cut.values() for a in (w[:, :16], w[:, 16:]))

cr.seed(3)
model = cr.models.MLP(16, 24, 1, activation="tanh")
optimizer = cr.optim.Adam(model, lr=0.005)
for epoch in range(15):
    for xb, yb in cr.data.Loader(x, y, batch_size=32).epoch(epoch):
        optimizer.zero_grad()
        cr.losses.mse(model(xb), yb).backward()
        optimizer.step()
    with cr.no_grad():
        validation_loss = cr.losses.mse(model(held), wanted).item()
score = 1 - validation_loss / wanted.var()
