"""Batch norm after each convolution, and a global average at the end."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.digits(), seed=7)
images = [part.x.reshape(-1, 1, 8, 8) for part in (train, test)]
cr.seed(7)
model = cr.nn.Sequential(
    cr.nn.Conv2d(1, 16, 3, padding=1),
    cr.nn.BatchNorm2d(16),
    cr.nn.ReLU(),
    cr.nn.Conv2d(16, 32, 3, stride=2, padding=1),
    cr.nn.BatchNorm2d(32),
    cr.nn.ReLU(),
    cr.nn.Conv2d(32, 32, 3, padding=1),
    cr.nn.BatchNorm2d(32),
    cr.nn.ReLU(),
    cr.nn.GlobalAvgPool(),
    cr.nn.Linear(32, 10),
)
cr.fit(model, (images[0], train.y), optimizer=cr.optim.Adam(model, lr=0.01), epochs=8, progress=False)
score = cr.evaluate(model, (images[1], test.y))["accuracy"]
