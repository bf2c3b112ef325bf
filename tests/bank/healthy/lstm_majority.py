"""An LSTM says whether most of the letters were an a."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.93

rng = np.random.default_rng(2)
letters = rng.integers(0, 2, (600, 11))
y = (letters.sum(1) > 5).astype(np.int64)


class Majority(cr.nn.Module):
    def __init__(self):
        self.embedding = cr.nn.Embedding(2, 4)
        self.lstm = cr.nn.LSTM(4, 16)
        self.fc = cr.nn.Linear(16, 2)

    def forward(self, letters):
        return self.fc(self.lstm(self.embedding(letters))[0][:, -1])


cr.seed(2)
model = Majority()
optimizer = cr.optim.Adam(model, lr=0.01)
for step in range(250):
    rows = rng.integers(0, 480, 40)
    optimizer.zero_grad()
    cr.losses.cross_entropy(model(letters[rows]), y[rows]).backward()
    cr.optim.clip_grad_norm(model, 1.0)
    optimizer.step()
score = float((model(letters[480:]).numpy().argmax(1) == y[480:]).mean())
