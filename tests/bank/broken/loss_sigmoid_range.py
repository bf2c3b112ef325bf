"""A sigmoid at the end of a regression whose targets run from −2 to 3: most of them are out of its range."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "loss does not fit output"
LEARNS = 0.9

rng = np.random.default_rng(3)
x = rng.normal(size=(500, 4)).astype(np.float32)
y = (np.tanh(x[:, :1]) * 1.5 + 0.5 * x[:, 1:2] + 0.5).astype(np.float32)

cr.seed(3)
model = cr.nn.Sequential(
    fc1=cr.nn.Linear(4, 24),
    act1=cr.nn.GELU(),
    fc2=cr.nn.Linear(24, 1),
    out=cr.nn.Sigmoid() if BROKEN else cr.nn.Identity(),
)
cr.fit(model, (x[:400], y[:400]), "mse", cr.optim.Adam(model, lr=0.01), epochs=30, progress=False)
score = cr.evaluate(model, (x[400:], y[400:]), "mse")["r2"]
