"""The net ends in Softmax, and cross_entropy applies it again: logits within 0 .. 1 cannot say anything clearly."""

import chainrule as cr

BROKEN = True
CAUSE = "softmax applied twice"
LEARNS = -0.4

train, validation, test = cr.data.split(cr.data.digits())
cr.seed(0)
last = [cr.nn.Softmax()] if BROKEN else []
model = cr.nn.Sequential(cr.nn.Linear(64, 32), cr.nn.ReLU(), cr.nn.Linear(32, 10), *last)
history = cr.fit(
    model,
    train,
    "cross-entropy",
    cr.optim.Adam(model, lr=0.005),
    epochs=12,
    validation=validation,
    progress=False,
)
score = -cr.evaluate(model, test, "cross-entropy")["loss"]
