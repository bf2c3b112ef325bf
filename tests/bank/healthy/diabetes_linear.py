"""Progress of a disease by linear regression; what is left over is noise, so R² is about a half."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.35

train, validation, test = cr.data.split(cr.data.diabetes(), seed=8)
scaler = cr.data.Standardize().fit(train.x)
mean, std = train.y.mean(), train.y.std()
cr.seed(8)
model = cr.nn.Linear(10, 1)
data = (scaler.transform(train.x), (train.y - mean) / std)
held = (scaler.transform(validation.x), (validation.y - mean) / std)
cr.fit(model, data, "mse", cr.optim.SGD(model, lr=0.02), epochs=30, validation=held, progress=False)
score = cr.evaluate(model, (scaler.transform(test.x), (test.y - mean) / std), "mse")["r2"]
