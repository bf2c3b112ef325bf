"""Which of three frequencies is in a noisy wave."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.95

rng = np.random.default_rng(8)
y = rng.integers(0, 3, 500)
time = np.linspace(0, 1, 48)
x = np.sin(2 * np.pi * (2 + 2 * y[:, None]) * time + rng.uniform(0, 2 * np.pi, (500, 1)))
x = (x + 0.3 * rng.normal(size=x.shape)).astype(np.float32)[:, None]
train, held = (x[:400], y[:400]), (x[400:], y[400:])

cr.seed(8)
model = cr.nn.Sequential(
    cr.nn.Conv1d(1, 12, 7),
    cr.nn.ReLU(),
    cr.nn.MaxPool1d(2),
    cr.nn.Conv1d(12, 16, 5),
    cr.nn.ReLU(),
    cr.nn.GlobalAvgPool(),
    cr.nn.Linear(16, 3),
)
cr.fit(model, train, optimizer=cr.optim.Adam(model, lr=0.005), epochs=15, validation=held, progress=False)
score = cr.evaluate(model, held)["accuracy"]
