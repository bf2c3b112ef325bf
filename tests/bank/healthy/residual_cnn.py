"""Residual convolutions with batch norm, as in a small ResNet."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.92


def block(channels):
    return cr.nn.Residual(
        cr.nn.Sequential(
            cr.nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            cr.nn.BatchNorm2d(channels),
            cr.nn.ReLU(),
            cr.nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            cr.nn.BatchNorm2d(channels),
        )
    )


train, validation, test = cr.data.split(cr.data.digits(), seed=12)
cr.seed(12)
model = cr.nn.Sequential(
    cr.nn.Unflatten(1, (1, 8, 8)), cr.nn.Conv2d(1, 12, 3, stride=2, padding=1), block(12), cr.nn.ReLU(), block(12),
    cr.nn.ReLU(), cr.nn.Flatten(), cr.nn.Linear(192, 10),
)  # fmt: skip
optimizer = cr.optim.SGD(model, lr=0.02, momentum=0.9)
cr.fit(model, train, optimizer=optimizer, epochs=5, validation=validation, progress=False)
score = cr.evaluate(model, test)["accuracy"]
