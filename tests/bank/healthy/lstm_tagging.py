"""An LSTM tags each number of a sequence that is smaller than the one before it."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.9

rng = np.random.default_rng(3)
x = rng.normal(size=(400, 10, 1)).astype(np.float32)
y = np.concatenate([np.zeros((400, 1)), x[:, :-1, 0] > x[:, 1:, 0]], 1).astype(np.int64)


class Tagger(cr.nn.Module):
    def __init__(self):
        self.lstm = cr.nn.LSTM(1, 20)
        self.fc = cr.nn.Linear(20, 2)

    def forward(self, x):
        return self.fc(self.lstm(x)[0])


cr.seed(3)
model = Tagger()
optimizer = cr.optim.Adam(model, lr=0.02)
for step in range(200):
    rows = rng.integers(0, 320, 32)
    optimizer.zero_grad()
    cr.losses.cross_entropy(model(x[rows]), y[rows]).backward()
    optimizer.step()
score = float((model(x[320:]).numpy().argmax(-1) == y[320:]).mean())
