"""The angle between two directions by acos of the cosine: where they agree, the slope of acos is infinite."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "backward"
RULE = "acos at ±1"
OPERATION = "acos"
LAYER = ""
LEARNS = 0.99

rng = np.random.default_rng(21)
x = rng.normal(size=(400, 2)).astype(np.float32)
x[4] = [1, 0]  # a shear leaves it where it is
wanted = x @ np.array([[1, 0], [-0.8, 1]], np.float32)
wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)

model = cr.nn.Linear(2, 2, bias=False)
model.weight.assign([[1.0, 0.2], [0.0, 1.0]])
optimizer = cr.optim.Adam(model, lr=0.01)
edge = 1.0 if BROKEN else 1 - 1e-6
for step in range(200):
    rows = np.arange(30) + 30 * (step % 10)
    optimizer.zero_grad()
    cosine = (cr.normalize(model(x[rows])) * wanted[rows]).sum(axis=-1)
    loss = cr.acos(cr.clip(cosine, -edge, edge)).mean()
    loss.backward()
    optimizer.step()
out = model(x[300:]).numpy()
score = float(np.mean((out * wanted[300:]).sum(1) / np.linalg.norm(out, axis=1)))
