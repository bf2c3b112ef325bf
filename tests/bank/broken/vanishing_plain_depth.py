"""A plain net of 24 layers without shortcuts, with weights a third too small, where a residual net was meant."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "vanishing gradients"
LEARNS = 0.8

rng = np.random.default_rng(4)
x = rng.uniform(-2, 2, (400, 2)).astype(np.float32)
y = (np.sin(1.5 * x[:, :1]) + 0.5 * x[:, 1:] ** 2).astype(np.float32)
y = (y - y.mean()) / y.std()

cr.seed(4)
blocks = []
for _ in range(12):
    block = cr.nn.Sequential(
        cr.nn.Linear(24, 24, init="lecun_normal"),
        cr.nn.ReLU(),
        cr.nn.Linear(24, 24, init=cr.nn.init.normal(0.07)),
    )
    blocks.append(block if BROKEN else cr.nn.Residual(block))
model = cr.nn.Sequential(cr.nn.Linear(2, 24), *blocks, cr.nn.Linear(24, 1))
cr.fit(model, (x[:300], y[:300]), "mse", cr.optim.SGD(model, lr=0.02, momentum=0.9), epochs=25, progress=False)
score = cr.evaluate(model, (x[300:], y[300:]), "mse")["r2"]
