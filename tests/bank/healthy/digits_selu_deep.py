"""Six SELU layers, which keep mean and variance by themselves."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.92

train, validation, test = cr.data.split(cr.data.digits(), seed=14)
mean, std = train.x.mean(), train.x.std()
cr.seed(14)
model = cr.models.MLP(64, *[40] * 6, 10, activation="selu")
data, held = ((train.x - mean) / std, train.y), ((validation.x - mean) / std, validation.y)
cr.fit(model, data, optimizer=cr.optim.SGD(model, lr=0.02), epochs=10, validation=held, progress=False)
score = cr.evaluate(model, ((test.x - mean) / std, test.y))["accuracy"]
