"""Weights from N(0, 0.01²) in eight tanh layers (the default of older books): signal and gradient die out."""

import chainrule as cr

BROKEN = True
CAUSE = "vanishing gradients"
LEARNS = 0.85

train, validation, test = cr.data.split(cr.data.digits(), seed=1)
cr.seed(1)
start = cr.nn.init.normal(0.01) if BROKEN else "xavier_normal"
model = cr.models.MLP(64, *[32] * 8, 10, activation="tanh", init=start)
loader = cr.data.Loader(train.x, train.y, batch_size=32)
optimizer = cr.optim.SGD(model, lr=0.05)
for epoch in range(8):
    for x, y in loader.epoch(epoch):
        optimizer.zero_grad()
        loss = cr.losses.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
score = cr.evaluate(model, test)["accuracy"]
