"""Letters of a rhyme, each from the eight before it, by an LSTM."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.85

text = "one two buckle my shoe three four knock at the door five six pick up sticks " * 6
letters, ids = np.unique(list(text), return_inverse=True)
windows = np.lib.stride_tricks.sliding_window_view(ids, 9)
x, y = windows[:, :8], windows[:, 8]


class Speller(cr.nn.Module):
    def __init__(self):
        self.embedding = cr.nn.Embedding(len(letters), 12)
        self.lstm = cr.nn.LSTM(12, 32)
        self.fc = cr.nn.Linear(32, len(letters))

    def forward(self, ids):
        return self.fc(self.lstm(self.embedding(ids))[0][:, -1])


cr.seed(6)
model = Speller()
optimizer = cr.optim.Adam(model, lr=0.01)
rng = np.random.default_rng(6)
for step in range(200):
    rows = rng.integers(0, len(x), 32)
    optimizer.zero_grad()
    cr.losses.cross_entropy(model(x[rows]), y[rows]).backward()
    optimizer.step()
score = float((model(x).numpy().argmax(1) == y).mean())
