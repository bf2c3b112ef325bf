"""A CNN with group norm and average pooling."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.92

train, validation, test = cr.data.split(cr.data.digits(), seed=6)
cr.seed(6)
model = cr.nn.Sequential(
    cr.nn.Unflatten(1, (1, 8, 8)),
    cr.nn.Conv2d(1, 16, 3, padding=1),
    cr.nn.GroupNorm(4, 16),
    cr.nn.SiLU(),
    cr.nn.AvgPool2d(2),
    cr.nn.Flatten(),
    cr.nn.Linear(256, 10),
)
cr.fit(model, train, optimizer=cr.optim.Adam(model, lr=0.003), epochs=6, validation=validation, progress=False)
score = cr.evaluate(model, test)["accuracy"]
