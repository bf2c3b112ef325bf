"""Losses, from one prediction and one target to the number that is minimised; and penalties to add to it.

Every loss takes (prediction, target, *, reduction="mean" | "sum" | "none"), tensors or arrays, and is the
mean over the batch by default. Classifiers give logits. `LOSSES` and `PENALTIES` are by command-line name.
"""

from chainrule.losses.binary import binary_cross_entropy, binary_cross_entropy_with_logits
from chainrule.losses.categorical import cross_entropy, kl_divergence, nll
from chainrule.losses.margin import hinge, perceptron_criterion
from chainrule.losses.penalties import (
    L1,
    L2,
    PENALTIES,
    ElasticNet,
    HalfL2,
    Penalty,
    elastic_net,
    half_l2,
    l1,
    l2,
    weights,
)
from chainrule.losses.registry import LOSSES, loss, named
from chainrule.losses.regression import half_squared, huber, mae, mse, sse

__all__ = [
    "L1",
    "L2",
    "LOSSES",
    "PENALTIES",
    "ElasticNet",
    "HalfL2",
    "Penalty",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "elastic_net",
    "half_l2",
    "half_squared",
    "hinge",
    "huber",
    "kl_divergence",
    "l1",
    "l2",
    "loss",
    "mae",
    "mse",
    "named",
    "nll",
    "perceptron_criterion",
    "sse",
    "weights",
]
