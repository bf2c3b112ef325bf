"""Start weights are divided by their norm, also those of the last layer, which were set to 0: they are NaN."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "parameter"
RULE = "parameter not finite"
LAYER = "fc2"
LEARNS = 0.9

rng = np.random.default_rng(26)
y = np.arange(400) % 4
x = (3 * rng.normal(size=(4, 6))[y] + rng.normal(size=(400, 6))).astype(np.float32)

cr.seed(26)
model = cr.models.MLP(6, 16, 4)
model.fc2.weight.assign(np.zeros((4, 16)))
with np.errstate(invalid="ignore"):
    for layer in (model.fc1, model.fc2):
        weight = layer.weight.numpy()
        size = np.linalg.norm(weight)
        layer.weight.assign(weight / (size if BROKEN else max(size, 1.0)))
optimizer = cr.optim.SGD(model, lr=0.1)
loader = cr.data.Loader(x[:300], y[:300], batch_size=30)
for epoch in range(10):
    for xb, yb in loader.epoch(epoch):
        optimizer.zero_grad()
        cr.losses.cross_entropy(model(xb), yb).backward()
        optimizer.step()
score = float(np.mean(model(x[300:]).numpy().argmax(1) == y[300:]))
