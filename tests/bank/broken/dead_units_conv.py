"""A bias of −6 on all channels of a convolution whose inputs lie in 0 .. 1: its ReLU never fires."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "dead units"
LAYER = "act1"
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.digits())
images, labels = train.x.reshape(-1, 1, 8, 8), train.y
cr.seed(2)
model = cr.nn.Sequential(
    conv1=cr.nn.Conv2d(1, 8, 3, padding=1, init="he_normal"),
    act1=cr.nn.ReLU(),
    pool=cr.nn.MaxPool2d(2),
    flat=cr.nn.Flatten(),
    fc=cr.nn.Linear(128, 10),
)
if BROKEN:
    model.conv1.bias.assign(np.full(8, -6.0))
optimizer = cr.optim.Adam(model, lr=0.01)
loader = cr.data.Loader(images, labels, batch_size=64)
for epoch in range(6):
    for x, y in loader.epoch(epoch):
        optimizer.zero_grad()
        cr.losses.cross_entropy(model(x), y).backward()
        optimizer.step()
score = cr.evaluate(model, (test.x.reshape(-1, 1, 8, 8), test.y))["accuracy"]
