"""Parameters, modules, initialisers, layers. Names and weight layouts are PyTorch's."""

from typing import Any

from chainrule.base.hints import missing
from chainrule.nn import init
from chainrule.nn.activations import (
    ACTIVATIONS,
    ELU,
    GELU,
    SELU,
    Activation,
    GELUTanh,
    Identity,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    PReLU,
    ReLU,
    Sigmoid,
    Sign,
    SiLU,
    Softmax,
    Softplus,
    Step,
    StepStrict,
    Tanh,
    activation,
)
from chainrule.nn.containers import Residual, Sequential
from chainrule.nn.dropout import Dropout
from chainrule.nn.flat import Flat
from chainrule.nn.functional import functional_call
from chainrule.nn.linear import Linear
from chainrule.nn.module import Module
from chainrule.nn.norms import BatchNorm1d, LayerNorm
from chainrule.nn.parameter import Buffer, Parameter
from chainrule.nn.saving import load, save
from chainrule.nn.shapes import Flatten
from chainrule.nn.summary import summary

__all__ = [
    "ACTIVATIONS", "ELU", "GELU", "SELU", "Activation", "BatchNorm1d", "Buffer", "Dropout", "Flat", "Flatten",
    "GELUTanh", "Identity", "LayerNorm", "LeakyReLU", "Linear", "LogSigmoid", "LogSoftmax", "Module", "PReLU",
    "Parameter", "ReLU", "Residual", "Sequential", "SiLU", "Sigmoid", "Sign", "Softmax", "Softplus", "Step",
    "StepStrict", "Tanh", "activation", "functional_call", "init", "load", "save", "summary",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """What is not here: where it is, if it is known from PyTorch."""
    raise missing("cr.nn", name)
