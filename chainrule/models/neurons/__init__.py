"""Single neurons, by what corrects them: nothing, mistakes, the error of the score; and their geometry."""

from chainrule.models.neurons.adaline import Adaline, BatchAdaline, largest_stable_lr
from chainrule.models.neurons.geometry import margin, mistake_bound, signed_distance
from chainrule.models.neurons.hebb import ErrorDrivenHebb
from chainrule.models.neurons.mcculloch_pitts import LogicNetwork, McCullochPitts
from chainrule.models.neurons.perceptron import BatchPerceptron, Perceptron
from chainrule.models.neurons.separability import Hyperplane, is_linearly_separable, separating_hyperplane

__all__ = [
    "Adaline",
    "BatchAdaline",
    "BatchPerceptron",
    "ErrorDrivenHebb",
    "Hyperplane",
    "LogicNetwork",
    "McCullochPitts",
    "Perceptron",
    "is_linearly_separable",
    "largest_stable_lr",
    "margin",
    "mistake_bound",
    "separating_hyperplane",
    "signed_distance",
]
