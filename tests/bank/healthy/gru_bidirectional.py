"""A GRU in both directions compares the first number with the last one."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.92

rng = np.random.default_rng(4)
x = rng.normal(size=(1200, 8, 1)).astype(np.float32)
y = (x[:, 0, 0] > x[:, -1, 0]).astype(np.int64)


class Compare(cr.nn.Module):
    def __init__(self):
        self.gru = cr.nn.GRU(1, 12, bidirectional=True)
        self.fc = cr.nn.Linear(24, 2)

    def forward(self, x):
        states, _ = self.gru(x)
        return self.fc(states.mean(axis=1))


cr.seed(4)
model = Compare()
train, held = (x[:1000], y[:1000]), (x[1000:], y[1000:])
cr.fit(model, train, optimizer=cr.optim.Adam(model, lr=0.02), epochs=15, validation=held, progress=False)
score = cr.evaluate(model, held)["accuracy"]
