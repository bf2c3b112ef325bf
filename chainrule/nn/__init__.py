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
from chainrule.nn.ensemble import Ensemble
from chainrule.nn.flat import Flat
from chainrule.nn.functional import functional_call
from chainrule.nn.linear import Linear
from chainrule.nn.module import Module
from chainrule.nn.norms import LayerNorm
from chainrule.nn.parameter import Buffer, Parameter
from chainrule.nn.precision import LowPrecision
from chainrule.nn.saving import load, save
from chainrule.nn.shapes import Flatten
from chainrule.nn.summary import summary
from chainrule.nn.batch_norms import BatchNorm1d, BatchNorm2d, BatchNorm3d
from chainrule.nn.convolution import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from chainrule.nn.pooling import (
    AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d, AdaptiveMaxPool1d, AdaptiveMaxPool2d,
    AdaptiveMaxPool3d, AvgPool1d, AvgPool2d, AvgPool3d, GlobalAvgPool, MaxPool1d, MaxPool2d, MaxPool3d,
)  # fmt: skip
from chainrule.nn.resizing import (
    CircularPad1d, CircularPad2d, CircularPad3d, ConstantPad1d, ConstantPad2d, ConstantPad3d, Fold,
    ReflectionPad1d, ReflectionPad2d, ReflectionPad3d, ReplicationPad1d, ReplicationPad2d, ReplicationPad3d,
    Unfold, Upsample, ZeroPad1d, ZeroPad2d, ZeroPad3d,
)  # fmt: skip
from chainrule.nn.sample_norms import GroupNorm, InstanceNorm1d, InstanceNorm2d, InstanceNorm3d, RMSNorm
from chainrule.nn.attention import KVCache, MultiheadAttention
from chainrule.nn.branches import Lambda, Parallel, StochasticDepth
from chainrule.nn.collected import ModuleDict, ModuleList, ParameterList
from chainrule.nn.embedding import Embedding, LearnedPositions, PositionalEncoding
from chainrule.nn.feed_forward import FeedForward
from chainrule.nn.transformer import TransformerDecoder, TransformerDecoderLayer, TransformerEncoder, TransformerEncoderLayer
from chainrule.nn.highway import Highway
from chainrule.nn.recurrent import GRU, LSTM, RNN, ChungGRU
from chainrule.nn.recurrent_cells import (
    ChungGRUCell, GRUCell, HighwayCell, LSTMCell, Recurrent, ResidualRNNCell, RNNCell,
)  # fmt: skip

__all__ = [
    "ACTIVATIONS", "ELU", "GELU", "SELU", "Activation", "BatchNorm1d", "Buffer", "Dropout", "Ensemble", "Flat", "Flatten",
    "GELUTanh", "Identity", "LayerNorm", "LeakyReLU", "Linear", "LogSigmoid", "LogSoftmax", "LowPrecision", "Module", "PReLU",
    "Parameter", "ReLU", "Residual", "Sequential", "SiLU", "Sigmoid", "Sign", "Softmax", "Softplus", "Step",
    "StepStrict", "Tanh", "activation", "functional_call", "init", "load", "save", "summary",
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "BatchNorm2d", "BatchNorm3d",
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "Fold",
    "GlobalAvgPool", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "MaxPool1d",
    "MaxPool2d", "MaxPool3d", "RMSNorm", "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d",
    "ReplicationPad1d", "ReplicationPad2d", "ReplicationPad3d", "Unfold", "Upsample", "ZeroPad1d",
    "ZeroPad2d", "ZeroPad3d",
    "Embedding", "FeedForward", "KVCache", "Lambda", "LearnedPositions", "ModuleDict", "ModuleList",
    "MultiheadAttention", "Parallel", "ParameterList", "PositionalEncoding", "StochasticDepth",
    "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder", "TransformerEncoderLayer",
    "ChungGRU", "ChungGRUCell", "GRU", "GRUCell", "Highway", "HighwayCell", "LSTM", "LSTMCell", "RNN", "RNNCell",
    "Recurrent", "ResidualRNNCell",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """What is not here: where it is, if it is known from PyTorch."""
    raise missing("cr.nn", name)
