"""Raw chemical measurements of wines: proline counts in the thousands, the hue in tenths."""

import chainrule as cr

BROKEN = True
CAUSE = "data not normalised"
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.wine())
scaler = cr.data.Standardize().fit(train.x)
if BROKEN:
    x, held = train.x, test.x
else:
    x, held = scaler.transform(train.x), scaler.transform(test.x)
cr.seed(2)
model = cr.models.MLP(13, 16, 3)
cr.fit(model, (x, train.y), optimizer=cr.optim.SGD(model, lr=0.05), epochs=30, batch_size=16, progress=False)
score = cr.evaluate(model, (held, test.y))["accuracy"]
