"""Digits with tanh and momentum in a loop by hand, validated in evaluation mode after each epoch."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.93

train, validation, test = cr.data.split(cr.data.digits(), seed=1)
cr.seed(1)
model = cr.models.MLP(64, 48, 10, activation="tanh")
optimizer = cr.optim.SGD(model, lr=0.05, momentum=0.9)
loader = cr.data.Loader(train.x, train.y, batch_size=32)
for epoch in range(10):
    for x, y in loader.epoch(epoch):
        optimizer.zero_grad()
        loss = cr.losses.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    model.eval()
    with cr.no_grad():
        validation_loss = cr.losses.cross_entropy(model(validation.x), validation.y).item()
    model.train()
score = cr.evaluate(model, test)["accuracy"]
