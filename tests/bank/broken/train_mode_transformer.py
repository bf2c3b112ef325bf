"""A transformer encoder with dropout 0.4 is asked for its validation loss without eval(): noise comes on top."""

import numpy as np

import chainrule as cr

BROKEN = True
CAUSE = "training mode in evaluation"
LEARNS = -0.1

rng = np.random.default_rng(2)
tokens = rng.integers(0, 8, (500, 6))
y = (tokens[:, 0] > tokens[:, -1]).astype(np.int64)
cr.seed(2)
model = cr.nn.Sequential(
    cr.nn.Embedding(8, 16),
    cr.nn.PositionalEncoding(16),
    cr.nn.TransformerEncoderLayer(16, 2, 32, dropout=0.4),
    cr.nn.Flatten(),
    cr.nn.Linear(96, 2),
)
optimizer = cr.optim.Adam(model, lr=0.005)
for epoch in range(12):
    model.train()
    for rows in rng.permutation(400).reshape(10, 40):
        optimizer.zero_grad()
        cr.losses.cross_entropy(model(tokens[rows]), y[rows]).backward()
        optimizer.step()
    if not BROKEN:
        model.eval()
    score = -cr.losses.cross_entropy(model(tokens[400:]), y[400:]).item()
