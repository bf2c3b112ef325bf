"""A small CNN on digits: convolution, ReLU, max-pooling, dense."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.94

train, validation, test = cr.data.split(cr.data.digits(), seed=5)
images = [part.x.reshape(-1, 1, 8, 8) for part in (train, validation, test)]
cr.seed(5)
model = cr.nn.Sequential(
    conv1=cr.nn.Conv2d(1, 12, 3, padding=1),
    act1=cr.nn.ReLU(),
    pool1=cr.nn.MaxPool2d(2),
    conv2=cr.nn.Conv2d(12, 24, 3, padding=1),
    act2=cr.nn.ReLU(),
    pool2=cr.nn.MaxPool2d(2),
    flat=cr.nn.Flatten(),
    fc=cr.nn.Linear(96, 10),
)
optimizer = cr.optim.Adam(model, lr=0.005)
cr.fit(model, (images[0], train.y), optimizer=optimizer, epochs=6, validation=(images[1], validation.y), progress=False)
score = cr.evaluate(model, (images[2], test.y))["accuracy"]
