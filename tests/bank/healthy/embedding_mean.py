"""Reviews of good and bad words: embeddings, their mean, one logit."""

import numpy as np

import chainrule as cr

CAUSE = ""
LEARNS = 0.9

rng = np.random.default_rng(7)
words = rng.integers(0, 40, (600, 9))
mood = np.linspace(-1, 1, 40)[words].sum(1)
y = (mood > 0).astype(np.int64)[:, None]


class Reviews(cr.nn.Module):
    def __init__(self):
        self.embedding = cr.nn.Embedding(40, 8)
        self.fc = cr.nn.Linear(8, 1)

    def forward(self, words):
        return self.fc(self.embedding(words).mean(axis=1))


cr.seed(7)
model = Reviews()
optimizer = cr.optim.Adam(model, lr=0.03)
loader = cr.data.Loader(words[:480], y[:480], batch_size=32)
for epoch in range(15):
    for ids, target in loader.epoch(epoch):
        optimizer.zero_grad()
        cr.losses.binary_cross_entropy_with_logits(model(ids), target).backward()
        optimizer.step()
score = float(((model(words[480:]).numpy() > 0) == y[480:]).mean())
