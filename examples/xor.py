"""XOR: no line separates it (002 Ex. 1), a network with one hidden layer learns it."""

import numpy as np

import chainrule as cr
from chainrule.models.neurons import is_linearly_separable

x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32)
y = np.array([0, 1, 1, 0])
assert not is_linearly_separable(x, y)

cr.seed(0)
model = cr.models.MLP(2, 8, 2, activation="tanh")
optimizer = cr.optim.Adam(model, lr=0.05)
history = cr.fit(model, (x, y), optimizer=optimizer, epochs=200, batch_size=4, progress=False)

print(f"loss {history['train_loss'][-1]:.4f}, predictions {cr.predict(model, x)}")
assert (cr.predict(model, x) == y).all()
