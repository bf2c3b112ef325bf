"""Highway layers between two dense ones."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.92

train, validation, test = cr.data.split(cr.data.digits(), seed=13)
cr.seed(13)
model = cr.nn.Sequential(
    cr.nn.Linear(64, 32),
    cr.nn.ReLU(),
    cr.nn.Highway(32),
    cr.nn.Highway(32),
    cr.nn.Highway(32),
    cr.nn.Linear(32, 10),
)
cr.fit(model, train, optimizer=cr.optim.Adam(model, lr=0.005), epochs=10, validation=validation, progress=False)
score = cr.evaluate(model, test)["accuracy"]
