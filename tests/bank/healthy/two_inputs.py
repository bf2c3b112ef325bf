"""A model of two branches, joined: numbers and a category."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.9


class Joined(cr.nn.Module):
    def __init__(self):
        self.city = cr.nn.Embedding(12, 4)
        self.numbers = cr.nn.Sequential(cr.nn.Linear(3, 16), cr.nn.ReLU())
        self.head = cr.nn.Sequential(cr.nn.Linear(20, 16), cr.nn.ReLU(), cr.nn.Linear(16, 1))

    def forward(self, city, numbers):
        return self.head(cr.concatenate([self.city(city), self.numbers(numbers)], axis=-1))


rng = np.random.default_rng(41)
city, x = rng.integers(0, 12, 800), rng.normal(size=(800, 3)).astype(np.float32)
y = (rng.normal(size=12)[city] + x[:, 0] * 0.8 + 0.1 * rng.normal(size=800)).astype(np.float32)[:, None]
cr.seed(41)
model = Joined()
optimizer = cr.optim.Adam(model, lr=0.01)
for step in range(400):
    rows = rng.integers(0, 640, 40)
    optimizer.zero_grad()
    cr.losses.mse(model(city[rows], x[rows]), y[rows]).backward()
    optimizer.step()
score = 1 - float(((model(city[640:], x[640:]).numpy() - y[640:]) ** 2).mean() / y[640:].var())
