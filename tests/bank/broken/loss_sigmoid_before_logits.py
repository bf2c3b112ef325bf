"""A Sigmoid layer, and then the binary cross-entropy that takes logits: a probability is squashed a second time."""

import chainrule as cr

BROKEN = True
CAUSE = "loss does not fit output"
LEARNS = -0.3

train, validation, test = cr.data.split(cr.data.breast_cancer())
scaler = cr.data.Standardize().fit(train.x)
cr.seed(0)
last = [cr.nn.Sigmoid()] if BROKEN else []
model = cr.nn.Sequential(cr.nn.Linear(30, 16), cr.nn.ReLU(), cr.nn.Linear(16, 1), *last)
data = (scaler.transform(train.x), train.y.reshape(-1, 1).astype(float))
cr.fit(model, data, "bce", cr.optim.Adam(model, lr=0.005), epochs=15, progress=False)
score = -cr.evaluate(model, (scaler.transform(test.x), test.y.reshape(-1, 1).astype(float)), "bce")["loss"]
