"""The loop that `fit` stands for, written by hand: an MLP learns the digits."""

import chainrule as cr

cr.seed(0)
train, validation, test = cr.data.split(cr.data.digits())
model = cr.models.MLP(64, 64, 10)
optimizer = cr.optim.Adam(model, lr=2e-3)
loader = cr.data.Loader(train.x, train.y, batch_size=32)

for epoch in range(15):
    for x, y in loader.epoch(epoch):
        optimizer.zero_grad()
        loss = cr.losses.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()

figures = cr.evaluate(model, test)
print(f"test accuracy {figures['accuracy']:.3f}")
assert figures["accuracy"] > 0.94
