"""Wines, standardised, with AdamW and early stopping."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.9

train, validation, test = cr.data.split(cr.data.wine(), seed=5)
scaler = cr.data.Standardize().fit(train.x)
cr.seed(5)
model = cr.models.MLP(13, 16, 3)
cr.fit(
    model,
    (scaler.transform(train.x), train.y),
    optimizer=cr.optim.AdamW(model, lr=0.01, weight_decay=0.05),
    epochs=30,
    batch_size=16,
    validation=(scaler.transform(validation.x), validation.y),
    callbacks=[cr.train.EarlyStopping(patience=5)],
    progress=False,
)
score = cr.evaluate(model, (scaler.transform(test.x), test.y))["accuracy"]
