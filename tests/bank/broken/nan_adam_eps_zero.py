"""Adam with eps=0: a pixel that is 0 in all images has gradient 0 and mean square 0, and its step is 0 / 0."""

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "update"
RULE = "0/0"
LAYER = "fc1"
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.digits())  # the first pixel is 0 in every image
cr.seed(23)
model = cr.models.MLP(64, 32, 10)
optimizer = cr.optim.Adam(model, lr=0.005, eps=0.0 if BROKEN else 1e-8)
loader = cr.data.Loader(train.x, train.y, batch_size=64)
for epoch in range(8):
    for x, y in loader.epoch(epoch):
        optimizer.zero_grad()
        cr.losses.cross_entropy(model(x), y).backward()
        optimizer.step()
score = cr.evaluate(model, test)["accuracy"]
