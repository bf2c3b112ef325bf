"""A GRU forecasts the next value of two sines and noise, from the last 16."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.85

rng = np.random.default_rng(1)
t = np.arange(700)
series = np.sin(t / 4) + 0.5 * np.sin(t / 9) + 0.1 * rng.normal(size=700)
windows = np.lib.stride_tricks.sliding_window_view(series, 17).astype(np.float32)
x, y = windows[:, :16, None], windows[:, 16:]
train, held = (x[:500], y[:500]), (x[520:], y[520:])


class Forecast(cr.nn.Module):
    def __init__(self):
        self.gru = cr.nn.GRU(1, 16)
        self.fc = cr.nn.Linear(16, 1)

    def forward(self, x):
        return self.fc(self.gru(x)[1][-1])


cr.seed(1)
model = Forecast()
cr.fit(model, train, "mse", cr.optim.Adam(model, lr=0.01), epochs=15, validation=held, progress=False)
score = cr.evaluate(model, held, "mse")["r2"]
