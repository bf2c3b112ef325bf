"""A 1-D CNN on waves ends in a Softmax layer before the cross-entropy, which has one inside."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "softmax applied twice"
LEARNS = -0.3

rng = np.random.default_rng(2)
y = rng.integers(0, 3, 450)
time = np.linspace(0, 1, 40)
phase = rng.uniform(0, 2 * np.pi, (450, 1))
x = np.sin(2 * np.pi * (2 + 2 * y[:, None]) * time + phase) + 0.3 * rng.normal(size=(450, 40))
x = x.astype(np.float32).reshape(450, 1, 40)

cr.seed(2)
model = cr.nn.Sequential(
    conv=cr.nn.Conv1d(1, 12, 7),
    relu=cr.nn.ReLU(),
    pool=cr.nn.GlobalAvgPool(),
    fc=cr.nn.Linear(12, 3),
    softmax=cr.nn.Softmax() if BROKEN else cr.nn.Identity(),
)
cr.fit(model, (x[:350], y[:350]), "cross-entropy", cr.optim.Adam(model, lr=0.02), epochs=25, progress=False)
score = -cr.evaluate(model, (x[350:], y[350:]), "cross-entropy")["loss"]
