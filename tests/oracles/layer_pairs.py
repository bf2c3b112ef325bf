"""The registry of layers compared with PyTorch: name → what draws a configuration; and those left out, with why."""

from tests.oracles import pairs_attention, pairs_dense, pairs_images, pairs_recurrent
from tests.oracles.pairing import PAIRS, Draw, Pair

FILES = (pairs_dense, pairs_images, pairs_recurrent, pairs_attention)
"""Each enters its layers when it is imported."""

CONFIGURATIONS = 40
"""Drawn of each layer."""

UNPAIRED = {
    "Activation": "what activations are made from; it computes nothing",
    "Module": "what layers are made from; it computes nothing",
    "ModuleDict": "holds modules and cannot be called",
    "ModuleList": "holds modules and cannot be called",
    "ParameterList": "holds parameters and cannot be called",
    "Ensemble": "k networks in one; compared with k networks apart in tests/laws/test_ensemble.py",
    "LowPrecision": "a layer in another dtype; compared with the layer in tests/laws/test_backend_training.py",
}


def drawn(name: str, i: int) -> Pair:
    """Configuration i of a layer."""
    return PAIRS[name](name, Draw(name, i))


__all__ = ["CONFIGURATIONS", "FILES", "PAIRS", "UNPAIRED", "drawn"]
