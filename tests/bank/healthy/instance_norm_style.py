"""Instance norm makes a classifier of stripes blind to brightness and contrast."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.93

rng = np.random.default_rng(40)
y = np.arange(500) % 2
stripes = np.sin(np.arange(10) * 1.3 + rng.uniform(0, 6, (500, 1)))[:, :, None] * np.ones(10)
x = np.where(y[:, None, None], stripes, stripes.transpose(0, 2, 1))
x = x * rng.uniform(0.5, 1.5, (500, 1, 1)) + 0.3 * rng.normal(size=(500, 10, 10))
x = x[:, None].astype(np.float32)
train, held = (x[:400], y[:400]), (x[400:], y[400:])
cr.seed(40)
model = cr.nn.Sequential(
    cr.nn.Conv2d(1, 8, 3),
    cr.nn.InstanceNorm2d(8),
    cr.nn.ReLU(),
    cr.nn.MaxPool2d(2),
    cr.nn.Flatten(),
    cr.nn.Linear(128, 2),
)
cr.fit(model, train, optimizer=cr.optim.Adam(model, lr=0.003), epochs=8, validation=held, progress=False)
score = cr.evaluate(model, held)["accuracy"]
