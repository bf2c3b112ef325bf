"""Square metres, years such as 1987 and distances in metres, all raw, for a price in units of its spread."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "data not normalised"
LEARNS = 0.85

rng = np.random.default_rng(3)
area, year, distance = rng.uniform(30, 250, 500), rng.integers(1900, 2024, 500), rng.uniform(50, 20000, 500)
price = 3000 * area + 1500 * (year - 1960) - 6 * distance + 20000 * rng.normal(size=500)
y = ((price - price.mean()) / price.std()).reshape(-1, 1).astype(np.float32)
x = np.stack([area, year, distance], 1).astype(np.float32)
if not BROKEN:
    x = (x - x.mean(0)) / x.std(0)

cr.seed(3)
model = cr.models.MLP(3, 32, 1)
cr.fit(model, (x[:400], y[:400]), "mse", cr.optim.Adam(model, lr=0.003), epochs=30, progress=False)
score = cr.evaluate(model, (x[400:], y[400:]), "mse")["r2"]
