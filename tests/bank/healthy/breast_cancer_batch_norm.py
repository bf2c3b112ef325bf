"""Batch norm with train() and eval() where they belong."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.88

train, validation, test = cr.data.split(cr.data.breast_cancer(), seed=7)
scaler = cr.data.Standardize().fit(train.x)
x, held = scaler.transform(train.x).astype("float32"), scaler.transform(validation.x).astype("float32")
cr.seed(7)
model = cr.models.MLP(30, 16, 2, batch_norm=True)
optimizer = cr.optim.SGD(model, lr=0.05)
loader = cr.data.Loader(x, train.y, batch_size=33)
for epoch in range(10):
    model.train()
    for xb, yb in loader.epoch(epoch):
        optimizer.zero_grad()
        cr.losses.cross_entropy(model(xb), yb).backward()
        optimizer.step()
    model.eval()
    with cr.no_grad():
        accuracy = (model(held).numpy().argmax(1) == validation.y).mean()
score = cr.evaluate(model, (scaler.transform(test.x), test.y))["accuracy"]
