"""A log-softmax by hand takes the maximum off after masking with −∞: where all is masked, that is −∞ − (−∞)."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "forward"
RULE = "∞ − ∞"
OPERATION = "subtract"
LAYER = ""
LEARNS = 0.9

rng = np.random.default_rng(13)
x = rng.normal(size=(300, 6)).astype(np.float32)
legal = rng.uniform(size=(300, 4)) < 0.8
legal[120] = False  # a finished game: no move is legal
y = np.where(legal, x[:, :4] - 10 * ~legal, -99).argmax(1)
mask = np.where(legal, 0.0, -np.inf if BROKEN else -1e4).astype(np.float32)

cr.seed(13)
model = cr.models.MLP(6, 24, 4, activation="tanh")
optimizer = cr.optim.Adam(model, lr=0.02)
for step in range(150):
    rows = np.arange(40) + 40 * (step % 5)
    optimizer.zero_grad()
    z = model(x[rows]) + mask[rows]
    z = z - z.max(axis=-1, keepdims=True)
    chosen = z[np.arange(40), y[rows]]
    loss = (cr.log(cr.exp(z).sum(axis=-1)) - chosen).mean()
    loss.backward()
    optimizer.step()
score = float(np.mean((model(x[200:]).numpy() + mask[200:]).argmax(1) == y[200:]))
