"""One target in twenty is far off; the Huber loss does not mind."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.9

rng = np.random.default_rng(25)
x = rng.normal(size=(600, 4)).astype(np.float32)
clean = np.tanh(x[:, :1] + x[:, 1:2]) + 0.5 * x[:, 2:3]
y = (clean + np.where(rng.uniform(size=(600, 1)) < 0.05, 6 * rng.normal(size=(600, 1)), 0)).astype(np.float32)
cr.seed(25)
model = cr.models.MLP(4, 32, 1, activation="tanh")
cr.fit(model, (x[:480], y[:480]), "huber", cr.optim.Adam(model, lr=0.005), epochs=25, progress=False)
residual = model(x[480:]).numpy() - clean[480:]
score = 1 - float((residual**2).mean() / clean[480:].var())
