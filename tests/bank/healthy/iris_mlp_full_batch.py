"""Iris, a small net, gradient descent on all rows at once."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.iris(), seed=4)
mean, std = train.x.mean(0), train.x.std(0)
x = (train.x - mean) / std
cr.seed(4)
model = cr.models.MLP(4, 12, 3, activation="tanh")
optimizer = cr.optim.SGD(model, lr=0.3, momentum=0.8)
for step in range(120):
    optimizer.zero_grad()
    loss = cr.losses.cross_entropy(model(x), train.y)
    loss.backward()
    optimizer.step()
score = cr.evaluate(model, ((test.x - mean) / std, test.y))["accuracy"]
