"""A sigmoid at the end, and the binary cross-entropy that takes probabilities."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.93

rng = np.random.default_rng(29)
x = rng.normal(size=(500, 2)).astype(np.float32)
y = ((x**2).sum(1, keepdims=True) < 1.4).astype(np.float32)
cr.seed(29)
model = cr.nn.Sequential(cr.nn.Linear(2, 16), cr.nn.ReLU(), cr.nn.Linear(16, 1), cr.nn.Sigmoid())
optimizer = cr.optim.Adam(model, lr=0.02)
data, held = (x[:400], y[:400]), (x[400:], y[400:])
cr.fit(model, data, "bce-probabilities", optimizer, epochs=25, validation=held, progress=False)
score = float(((model(held[0]).numpy() > 0.5) == held[1]).mean())
