"""Tumours by logistic regression: one logit, and the loss that takes logits."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.92

train, validation, test = cr.data.split(cr.data.breast_cancer(), seed=6)
scaler = cr.data.Standardize().fit(train.x)
cr.seed(6)
model = cr.nn.Linear(30, 1)
optimizer = cr.optim.SGD(model, lr=0.1)
loader = cr.data.Loader(scaler.transform(train.x).astype("float32"), train.y[:, None], batch_size=32)
for epoch in range(20):
    for x, y in loader.epoch(epoch):
        optimizer.zero_grad()
        cr.losses.binary_cross_entropy_with_logits(model(x), y).backward()
        optimizer.step()
score = float(((model(scaler.transform(test.x).astype("float32")).numpy()[:, 0] > 0) == test.y).mean())
