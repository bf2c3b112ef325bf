"""fit is given the training set as its validation set too, and early stopping waits for it to get worse."""

import chainrule as cr

BROKEN = True
CAUSE = "train and test overlap"
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.breast_cancer())
scaler = cr.data.Standardize().fit(train.x)
data = (scaler.transform(train.x), train.y)
held = data if BROKEN else (scaler.transform(validation.x), validation.y)
cr.seed(2)
model = cr.models.MLP(30, 8, 2)
stopping = cr.train.EarlyStopping(patience=4)
optimizer = cr.optim.Adam(model, lr=0.003)
cr.fit(model, data, optimizer=optimizer, epochs=15, validation=held, callbacks=[stopping], progress=False)
score = cr.evaluate(model, held)["accuracy"]
