"""Residual branches with weights of standard deviation 0.25 and no norm: 16 of them multiply the signal each time."""

import chainrule as cr

BROKEN = True
CAUSE = "exploding gradients"
LEARNS = 0.85

train, validation, test = cr.data.split(cr.data.digits(), seed=3)
mean = train.x.mean(0)
cr.seed(3)
start = cr.nn.init.normal(0.25) if BROKEN else cr.nn.init.normal(0.02)
branches = [
    cr.nn.Residual(
        cr.nn.Sequential(cr.nn.Linear(32, 32, init="he_normal"), cr.nn.ReLU(), cr.nn.Linear(32, 32, init=start))
    )
    for _ in range(16)
]
model = cr.nn.Sequential(cr.nn.Linear(64, 32), *branches, cr.nn.Linear(32, 10))
cr.fit(model, (train.x - mean, train.y), optimizer=cr.optim.Adam(model, lr=0.001), epochs=8, progress=False)
score = cr.evaluate(model, (test.x - mean, test.y))["accuracy"]
