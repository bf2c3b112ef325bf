"""A compiled step with clipping on digits."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.93

train, validation, test = cr.data.split(cr.data.digits(), seed=37)
cr.seed(37)
model = cr.models.MLP(64, 48, 10)
optimizer = cr.optim.Adam(model, lr=0.005)


@cr.compile
def step(x, y):
    optimizer.zero_grad()
    loss = cr.losses.cross_entropy(model(x), y)
    loss.backward()
    cr.optim.clip_grad_norm(model, 5.0)
    optimizer.step()
    return loss


loader = cr.data.Loader(train.x, train.y, batch_size=32, drop_last=True)
for epoch in range(10):
    for x, y in loader.epoch(epoch):
        step(x, y)
score = cr.evaluate(model, test)["accuracy"]
