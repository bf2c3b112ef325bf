"""Nesterov's momentum, and a penalty on the weights that is a part of the loss."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.93

train, validation, test = cr.data.split(cr.data.digits(), seed=36)
cr.seed(36)
model = cr.models.MLP(64, 40, 10)
cr.fit(
    model,
    train,
    optimizer=cr.optim.SGD(model, lr=0.05, momentum=0.9, nesterov=True),
    penalty=cr.losses.HalfL2(1e-4),
    epochs=8,
    validation=validation,
    progress=False,
)
score = cr.evaluate(model, test)["accuracy"]
