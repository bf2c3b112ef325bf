"""Hardswish and Adagrad."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.92

train, validation, test = cr.data.split(cr.data.digits(), seed=18)
cr.seed(18)
model = cr.nn.Sequential(cr.nn.Linear(64, 48), cr.nn.Hardswish(), cr.nn.Linear(48, 10))
cr.fit(model, train, optimizer=cr.optim.Adagrad(model, lr=0.05), epochs=10, progress=False)
score = cr.evaluate(model, test)["accuracy"]
