"""The loop never calls zero_grad: every step follows the sum of all gradients so far."""

import chainrule as cr

BROKEN = True
CAUSE = "gradients not zeroed"
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.digits())
cr.seed(0)
model = cr.models.MLP(64, 32, 10)
optimizer = cr.optim.SGD(model, lr=0.1)
loader = cr.data.Loader(train.x, train.y, batch_size=32)
for epoch in range(8):
    for x, y in loader.epoch(epoch):
        if not BROKEN:
            optimizer.zero_grad()
        loss = cr.losses.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
score = cr.evaluate(model, test)["accuracy"]
