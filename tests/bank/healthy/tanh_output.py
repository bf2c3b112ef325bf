"""A tanh at the end of a regression whose targets lie between −1 and 1."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.9

rng = np.random.default_rng(30)
x = rng.uniform(-2, 2, (500, 2)).astype(np.float32)
y = (0.8 * np.sin(x[:, :1] + x[:, 1:])).astype(np.float32)
cr.seed(30)
model = cr.nn.Sequential(
    cr.nn.Linear(2, 32), cr.nn.Tanh(), cr.nn.Linear(32, 16), cr.nn.Tanh(), cr.nn.Linear(16, 1), cr.nn.Tanh()
)
cr.fit(model, (x[:400], y[:400]), "mse", cr.optim.Adam(model, lr=0.01), epochs=30, progress=False)
score = cr.evaluate(model, (x[400:], y[400:]), "mse")["r2"]
