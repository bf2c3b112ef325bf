"""Ten ReLU layers of width 64 with weights from N(0, 0.5²): each makes values and gradients three times as large."""

import chainrule as cr

BROKEN = True
CAUSE = "exploding gradients"
LEARNS = 0.85

train, validation, test = cr.data.split(cr.data.digits(), seed=2)
cr.seed(0)
start = cr.nn.init.normal(0.5) if BROKEN else "he_normal"
model = cr.models.MLP(64, *[64] * 10, 10, init=start)
optimizer = cr.optim.Adam(model, lr=0.001)
loader = cr.data.Loader(train.x, train.y, batch_size=32)
for epoch in range(6):
    for x, y in loader.epoch(epoch):
        optimizer.zero_grad()
        loss = cr.losses.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
score = cr.evaluate(model, test)["accuracy"]
