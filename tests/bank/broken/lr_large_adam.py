"""Adam with a learning rate of 1 on a small net: its weights jump by 1 a step, and accuracy stays near chance."""

import chainrule as cr

BROKEN = True
CAUSE = "learning rate too large"
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.digits(), seed=1)
cr.seed(1)
model = cr.models.MLP(64, 32, 32, 10, activation="leaky_relu")
optimizer = cr.optim.Adam(model, lr=1.0 if BROKEN else 0.003)
loader = cr.data.Loader(train.x, train.y, batch_size=32)
for epoch in range(8):
    for x, y in loader.epoch(epoch):
        optimizer.zero_grad()
        loss = cr.losses.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
score = cr.evaluate(model, test)["accuracy"]
