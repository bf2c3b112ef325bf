"""A CNN with batch norm is trained in evaluation mode: it divides by the variances it started with, which are 1."""

import chainrule as cr

BROKEN = True
CAUSE = "evaluation mode in training"
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.digits(), seed=2)
cr.seed(2)
model = cr.nn.Sequential(
    cr.nn.Unflatten(1, (1, 8, 8)),
    cr.nn.Conv2d(1, 8, 3, padding=1),
    cr.nn.BatchNorm2d(8),
    cr.nn.ReLU(),
    cr.nn.MaxPool2d(2),
    cr.nn.Flatten(),
    cr.nn.Linear(128, 10),
)
if BROKEN:
    model.eval()
optimizer = cr.optim.SGD(model, lr=0.05, momentum=0.9)
for epoch, loader in enumerate([cr.data.Loader(train.x, train.y, batch_size=64)] * 6):
    for x, y in loader.epoch(epoch):
        optimizer.zero_grad()
        cr.losses.cross_entropy(model(x), y).backward()
        optimizer.step()
score = cr.evaluate(model, test)["accuracy"]
