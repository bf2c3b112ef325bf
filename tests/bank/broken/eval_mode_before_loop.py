"""model.eval() for a first look at the accuracy, and no model.train() after it: dropout is off all the time."""

import chainrule as cr

BROKEN = True
CAUSE = "evaluation mode in training"
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.digits())
cr.seed(0)
model = cr.models.MLP(64, 64, 10, dropout=0.3)
optimizer = cr.optim.Adam(model, lr=0.003)
loader = cr.data.Loader(train.x, train.y, batch_size=32)
model.eval()
before = float((model(validation.x).numpy().argmax(1) == validation.y).mean())
if not BROKEN:
    model.train()
for epoch in range(8):
    for x, y in loader.epoch(epoch):
        optimizer.zero_grad()
        cr.losses.cross_entropy(model(x), y).backward()
        optimizer.step()
model.eval()
score = float((model(test.x).numpy().argmax(1) == test.y).mean())
