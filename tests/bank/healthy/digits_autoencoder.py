"""Digits squeezed through 12 numbers and drawn again; pixels lie in 0 .. 1, and so does a sigmoid."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.6

train, validation, test = cr.data.split(cr.data.digits(), seed=15)
cr.seed(15)
model = cr.nn.Sequential(
    encode=cr.nn.Linear(64, 32, init="he_normal"),
    act1=cr.nn.LeakyReLU(),
    code=cr.nn.Linear(32, 12),
    decode=cr.nn.Linear(12, 32, init="he_normal"),
    act2=cr.nn.LeakyReLU(),
    image=cr.nn.Linear(32, 64),
    pixels=cr.nn.Sigmoid(),
)
optimizer = cr.optim.Adam(model, lr=0.005)
held = (validation.x, validation.x)
cr.fit(model, (train.x, train.x), "mse", optimizer, epochs=20, validation=held, progress=False)
score = 1 - ((model(test.x).numpy() - test.x) ** 2).mean() / ((test.x - train.x.mean(0)) ** 2).mean()
