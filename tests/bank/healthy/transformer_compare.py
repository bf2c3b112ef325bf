"""A transformer encoder with dropout compares the first token with the last one; eval() for its validation."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.9

rng = np.random.default_rng(8)
tokens = rng.integers(0, 8, (800, 6))
y = (tokens[:, 0] > tokens[:, -1]).astype(np.int64)
cr.seed(8)
model = cr.nn.Sequential(
    cr.nn.Embedding(8, 16),
    cr.nn.PositionalEncoding(16),
    cr.nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1),
    cr.nn.Flatten(),
    cr.nn.Linear(96, 2),
)
optimizer = cr.optim.Adam(model, lr=0.003)
for epoch in range(10):
    model.train()
    for rows in rng.permutation(600).reshape(15, 40):
        optimizer.zero_grad()
        cr.losses.cross_entropy(model(tokens[rows]), y[rows]).backward()
        optimizer.step()
    model.eval()
    with cr.no_grad():
        score = float((model(tokens[600:]).numpy().argmax(1) == y[600:]).mean())
