"""Average pooling along time with an RMS norm, then a dense layer."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.9

rng = np.random.default_rng(42)
y = rng.integers(0, 3, 600)
time = np.linspace(0, 1, 32)
shape = np.stack([np.sign(np.sin(20 * time)), np.sin(20 * time) * 1.2, 2 * ((20 * time / 6.28) % 1) - 1])
x = (shape[y] + 0.3 * rng.normal(size=(600, 32))).astype(np.float32)[:, None]
train, held = (x[:480], y[:480]), (x[480:], y[480:])
cr.seed(42)
model = cr.nn.Sequential(
    cr.nn.Conv1d(1, 16, 5),
    cr.nn.Tanh(),
    cr.nn.AvgPool1d(4),
    cr.nn.Flatten(),
    cr.nn.RMSNorm(112),
    cr.nn.Linear(112, 3),
)
cr.fit(model, train, optimizer=cr.optim.AdamW(model, lr=0.003), epochs=10, validation=held, progress=False)
score = cr.evaluate(model, held)["accuracy"]
