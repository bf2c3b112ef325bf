"""Computed in float16 with a loss scale, on data that fit into it."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.digits(), seed=27)
cr.seed(27)
model = cr.nn.LowPrecision(cr.models.MLP(64, 32, 10), "float16")
optimizer = cr.optim.Adam(model, lr=0.005)
scale = cr.optim.LossScale(1024.0)
loader = cr.data.Loader(train.x, train.y, batch_size=64)
for epoch in range(8):
    for x, y in loader.epoch(epoch):
        optimizer.zero_grad()
        scale.backward(cr.losses.cross_entropy(model(x), y))
        scale.step(optimizer)
score = cr.evaluate(model, test)["accuracy"]
