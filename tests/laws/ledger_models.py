"""Every layer kind as a model with data and a loss, for the laws of the ledger."""

import numpy as np

import chainrule as cr
from chainrule import nn
from tests.laws.image_layers import IMAGE_LAYERS
from tests.laws.recurrent_layers import CELLS, LAYERS
from tests.laws.sequence_layers import SEQUENCE_LAYERS
from tests.laws.test_modules import COMPARING, FURTHER_ACTIVATIONS
from tests.laws.test_modules import LAYERS as LAYERS_OF_ROWS
from tests.laws.zoo import ZOO


def squared(prediction, y):
    """Half the sum of squares of everything a layer gives."""
    results = [t for t in cr.core.tree.flatten(prediction)[0] if isinstance(t, cr.Tensor)]
    return sum(cr.sum((t - 0.3) ** 2) for t in results) * 0.5


def of_zoo(name):
    model, _, draw = ZOO[name].draw()
    x, y = draw()
    return model, x, y, ZOO[name].loss


def alone(make, shape):
    def drawn():
        cr.seed(0)
        x = np.random.default_rng(0).permutation(int(np.prod(shape))).reshape(shape) * 0.02 - 0.9
        return make(), x.astype(np.float32), None, squared

    return drawn


def between(*layers):
    return nn.Sequential(nn.Linear(4, 4), *layers, nn.Linear(4, 4))


def embedding():
    cr.seed(0)
    return nn.Embedding(7, 4, padding_idx=0), np.array([[1, 0, 3], [3, 3, 6]]), None, squared


class Comparing(nn.Module):
    """A layer of two inputs, between maps of one."""

    def __init__(self, layer):
        self.left, self.right, self.layer = nn.Linear(4, 4), nn.Linear(4, 4), layer

    def forward(self, x):
        return self.layer(self.left(x), self.right(x))


FURTHER = ("Bilinear", "GLU", "Highway", "Threshold", *FURTHER_ACTIVATIONS.split())

MODELS = {
    **{f"zoo {name}": (lambda name=name: of_zoo(name)) for name in ZOO},
    **{f"image {name}": alone(*given) for name, given in IMAGE_LAYERS.items()},
    **{f"sequence {name}": alone(make, (3, 5, 4)) for name, make in SEQUENCE_LAYERS.items()},
    **{f"recurrent {name}": alone(make, (2, 5, 3)) for name, make in LAYERS.items()},
    **{
        f"recurrent {name} deep": alone(lambda make=make: make(num_layers=2, bidirectional=True), (2, 5, 3))
        for name, make in LAYERS.items()
    },
    **{f"cell {name}": alone(make, (2, 3)) for name, make in CELLS.items()},
    "cell Recurrent": alone(lambda: nn.Recurrent(nn.LSTMCell(3, 4)), (2, 5, 3)),
    **{f"activation {name}": alone(lambda name=name: between(nn.activation(name)), (3, 4)) for name in nn.ACTIVATIONS},
    "Unflatten": alone(lambda: between(nn.Unflatten(1, (2, 2)), nn.Flatten()), (3, 4)),
    **{f"layer {name}": alone(lambda make=LAYERS_OF_ROWS[name]: between(make()), (3, 4)) for name in FURTHER},
    **{f"layer {name}": alone(lambda name=name: Comparing(getattr(nn, name)()), (3, 4)) for name in sorted(COMPARING)},
    "Embedding": embedding,
}
