"""Forty images of digits for a net of 42,000 weights, until it knows them by heart: of others a quarter is wrong."""

import chainrule as cr

BROKEN = True
CAUSE = "overfitting"
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.digits(), seed=2)
few = train.take(range(40)) if BROKEN else train
cr.seed(2)
model = cr.models.MLP(64, 170, 170, 10)
optimizer = cr.optim.Adam(model, lr=0.002)
loader = cr.data.Loader(few.x, few.y, batch_size=20 if BROKEN else 64)
for epoch in range(100 if BROKEN else 8):
    for x, y in loader.epoch(epoch):
        optimizer.zero_grad()
        cr.losses.cross_entropy(model(x), y).backward()
        optimizer.step()
    if epoch % 5 == 0:
        model.eval()
        with cr.no_grad():
            validation_loss = cr.losses.cross_entropy(model(validation.x), validation.y).item()
        model.train()
score = cr.evaluate(model, test)["accuracy"]
