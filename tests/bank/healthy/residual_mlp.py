"""Ten residual blocks with layer norm."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.93

train, validation, test = cr.data.split(cr.data.digits(), seed=11)
cr.seed(11)
blocks = [
    cr.nn.Residual(cr.nn.Sequential(cr.nn.LayerNorm(32), cr.nn.Linear(32, 32), cr.nn.ReLU(), cr.nn.Linear(32, 32)))
    for _ in range(10)
]
model = cr.nn.Sequential(cr.nn.Linear(64, 32), *blocks, cr.nn.LayerNorm(32), cr.nn.Linear(32, 10))
cr.fit(model, train, optimizer=cr.optim.Adam(model, lr=0.002), epochs=8, validation=validation, progress=False)
score = cr.evaluate(model, test)["accuracy"]
