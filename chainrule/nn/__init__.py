"""Parameters, modules, initialisers, layers. Names and weight layouts are PyTorch's."""

from typing import TYPE_CHECKING

from chainrule.base.later import later
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
from chainrule.nn.linear import Linear
from chainrule.nn.module import Module
from chainrule.nn.norms import LayerNorm
from chainrule.nn.parameter import Buffer, Parameter
from chainrule.nn.shapes import Flatten

if TYPE_CHECKING:
    from chainrule.nn import functional
    from chainrule.nn.attention import KVCache, MultiheadAttention
    from chainrule.nn.batch_norms import BatchNorm1d, BatchNorm2d, BatchNorm3d
    from chainrule.nn.branches import Lambda, Parallel, StochasticDepth
    from chainrule.nn.collected import ModuleDict, ModuleList, ParameterList
    from chainrule.nn.convolution import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
    from chainrule.nn.embedding import Embedding, LearnedPositions, PositionalEncoding
    from chainrule.nn.ensemble import Ensemble
    from chainrule.nn.feed_forward import FeedForward
    from chainrule.nn.flat import Flat
    from chainrule.nn.functional import functional_call
    from chainrule.nn.highway import Highway
    from chainrule.nn.pooling import (
        AdaptiveAvgPool1d,
        AdaptiveAvgPool2d,
        AdaptiveAvgPool3d,
        AdaptiveMaxPool1d,
        AdaptiveMaxPool2d,
        AdaptiveMaxPool3d,
        AvgPool1d,
        AvgPool2d,
        AvgPool3d,
        GlobalAvgPool,
        MaxPool1d,
        MaxPool2d,
        MaxPool3d,
    )
    from chainrule.nn.precision import LowPrecision
    from chainrule.nn.recurrent import GRU, LSTM, RNN, ChungGRU
    from chainrule.nn.recurrent_cells import (
        ChungGRUCell,
        GRUCell,
        HighwayCell,
        LSTMCell,
        Recurrent,
        ResidualRNNCell,
        RNNCell,
    )
    from chainrule.nn.recurrent_skips import HighwayRNN, ResidualRNN
    from chainrule.nn.resizing import (
        CircularPad1d,
        CircularPad2d,
        CircularPad3d,
        ConstantPad1d,
        ConstantPad2d,
        ConstantPad3d,
        Fold,
        ReflectionPad1d,
        ReflectionPad2d,
        ReflectionPad3d,
        ReplicationPad1d,
        ReplicationPad2d,
        ReplicationPad3d,
        Unfold,
        Upsample,
        ZeroPad1d,
        ZeroPad2d,
        ZeroPad3d,
    )
    from chainrule.nn.sample_norms import GroupNorm, InstanceNorm1d, InstanceNorm2d, InstanceNorm3d, RMSNorm
    from chainrule.nn.saving import load, save
    from chainrule.nn.summary import summary
    from chainrule.nn.transformer import (
        TransformerDecoder,
        TransformerDecoderLayer,
        TransformerEncoder,
        TransformerEncoderLayer,
    )

_LATER = {
    "convolution": "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d",
    "pooling": """
        AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d
        AdaptiveMaxPool3d AvgPool1d AvgPool2d AvgPool3d GlobalAvgPool MaxPool1d MaxPool2d MaxPool3d
    """,
    "resizing": """
        CircularPad1d CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d Fold
        ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d
        Unfold Upsample ZeroPad1d ZeroPad2d ZeroPad3d
    """,
    "sample_norms": "GroupNorm InstanceNorm1d InstanceNorm2d InstanceNorm3d RMSNorm",
    "attention": "KVCache MultiheadAttention",
    "branches": "Lambda Parallel StochasticDepth",
    "collected": "ModuleDict ModuleList ParameterList",
    "embedding": "Embedding LearnedPositions PositionalEncoding",
    "feed_forward": "FeedForward",
    "transformer": "TransformerDecoder TransformerDecoderLayer TransformerEncoder TransformerEncoderLayer",
    "highway": "Highway",
    "recurrent": "GRU LSTM RNN ChungGRU",
    "recurrent_cells": "ChungGRUCell GRUCell HighwayCell LSTMCell Recurrent ResidualRNNCell RNNCell",
    "recurrent_skips": "HighwayRNN ResidualRNN",
    "precision": "LowPrecision",
    "batch_norms": "BatchNorm1d BatchNorm2d BatchNorm3d",
    "ensemble": "Ensemble",
    "flat": "Flat",
    "functional": "functional_call",
    "saving": "load save",
    "summary": "summary",
}
"""Names by the file that defines them, which is imported when one of them is first used: few programs use many."""

later(__name__, _LATER, rooms=("functional",))

__all__ = [
    "ACTIVATIONS",
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "RNN",
    "SELU",
    "Activation",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Buffer",
    "ChungGRU",
    "ChungGRUCell",
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "Dropout",
    "Embedding",
    "Ensemble",
    "FeedForward",
    "Flat",
    "Flatten",
    "Fold",
    "GELUTanh",
    "GRUCell",
    "GlobalAvgPool",
    "GroupNorm",
    "Highway",
    "HighwayCell",
    "HighwayRNN",
    "Identity",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "KVCache",
    "LSTMCell",
    "Lambda",
    "LayerNorm",
    "LeakyReLU",
    "LearnedPositions",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "LowPrecision",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiheadAttention",
    "PReLU",
    "Parallel",
    "Parameter",
    "ParameterList",
    "PositionalEncoding",
    "RMSNorm",
    "RNNCell",
    "ReLU",
    "Recurrent",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "Residual",
    "ResidualRNN",
    "ResidualRNNCell",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Sign",
    "Softmax",
    "Softplus",
    "Step",
    "StepStrict",
    "StochasticDepth",
    "Tanh",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "Unfold",
    "Upsample",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
    "activation",
    "functional",
    "functional_call",
    "init",
    "load",
    "save",
    "summary",
]  # fmt: skip
