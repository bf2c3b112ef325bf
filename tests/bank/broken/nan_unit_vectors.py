"""Embeddings are divided by their length, and a photograph of nothing has the zero vector: 0 / 0."""

import chainrule as cr

BROKEN = True
CAUSE = "not finite"
PHASE = "forward"
RULE = "0/0"
OPERATION = "divide"
LAYER = "unit"
LEARNS = 0.9


class Unit(cr.nn.Module):
    def forward(self, v):
        length = cr.norm(v, axis=-1, keepdims=True)
        return v / (length if BROKEN else cr.maximum(length, 1e-6))


train, validation, test = cr.data.split(cr.data.digits(), seed=5)
images = train.x.copy()
images[600] = 0
cr.seed(11)
model = cr.nn.Sequential(
    fc1=cr.nn.Linear(64, 32, bias=False),
    act1=cr.nn.ReLU(),
    unit=Unit(),
    fc2=cr.nn.Linear(32, 10),
)
cr.fit(model, (images, train.y), optimizer=cr.optim.Adam(model, lr=0.02), epochs=8, progress=False)
score = cr.evaluate(model, test)["accuracy"]
