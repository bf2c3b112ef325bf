"""A tanh RNN says the mean of the last numbers of a sequence; its gradient is clipped."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.9

rng = np.random.default_rng(0)
x = rng.normal(size=(500, 12, 1)).astype(np.float32)
y = 2 * x[:, -4:, 0].mean(1, keepdims=True)


class Mean(cr.nn.Module):
    def __init__(self):
        self.rnn = cr.nn.RNN(1, 24)
        self.head = cr.nn.Linear(24, 1)

    def forward(self, x):
        return self.head(self.rnn(x)[0][:, -1])


cr.seed(0)
model = Mean()
train, held = (x[:400], y[:400]), (x[400:], y[400:])
optimizer = cr.optim.Adam(model, lr=0.01)
cr.fit(model, train, "mse", optimizer, epochs=20, clip_norm=1.0, validation=held, progress=False)
score = cr.evaluate(model, held, "mse")["r2"]
