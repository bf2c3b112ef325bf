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
from chainrule.nn.shapes import Flatten, Unflatten

if TYPE_CHECKING:
    from chainrule.nn import functional
    from chainrule.nn.attention import KVCache, MultiheadAttention
    from chainrule.nn.batch_norms import BatchNorm1d, BatchNorm2d, BatchNorm3d
    from chainrule.nn.branches import Lambda, Parallel, StochasticDepth
    from chainrule.nn.channel_dropout import Dropout1d, Dropout2d, Dropout3d
    from chainrule.nn.collected import ModuleDict, ModuleList, ParameterList
    from chainrule.nn.comparing import Bilinear, CosineSimilarity, PairwiseDistance
    from chainrule.nn.convolution import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
    from chainrule.nn.embedding import Embedding, LearnedPositions, PositionalEncoding
    from chainrule.nn.ensemble import Ensemble
    from chainrule.nn.feed_forward import FeedForward
    from chainrule.nn.flat import Flat
    from chainrule.nn.functional import functional_call
    from chainrule.nn.hard_activations import (
        Hardshrink,
        Hardsigmoid,
        Hardswish,
        Hardtanh,
        ReLU6,
        RReLU,
        Softshrink,
        Threshold,
    )
    from chainrule.nn.highway import Highway
    from chainrule.nn.pixels import ChannelShuffle, PixelShuffle, PixelUnshuffle
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
        LPPool1d,
        LPPool2d,
        LPPool3d,
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
    from chainrule.nn.soft_activations import CELU, GLU, Mish, Softmax2d, Softmin, Softsign, Tanhshrink
    from chainrule.nn.summary import summary
    from chainrule.nn.transformer import (
        TransformerDecoder,
        TransformerDecoderLayer,
        TransformerEncoder,
        TransformerEncoderLayer,
    )

_LATER = {
    "hard_activations": "Hardshrink Hardsigmoid Hardswish Hardtanh RReLU ReLU6 Softshrink Threshold",
    "soft_activations": "CELU GLU Mish Softmax2d Softmin Softsign Tanhshrink",
    "pixels": "ChannelShuffle PixelShuffle PixelUnshuffle",
    "comparing": "Bilinear CosineSimilarity PairwiseDistance",
    "channel_dropout": "Dropout1d Dropout2d Dropout3d",
    "convolution": "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d",
    "pooling": """
        AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d
        AdaptiveMaxPool3d AvgPool1d AvgPool2d AvgPool3d GlobalAvgPool LPPool1d LPPool2d
        LPPool3d MaxPool1d MaxPool2d MaxPool3d
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
    "CELU",
    "ELU",
    "GELU",
    "GLU",
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
    "Bilinear",
    "Buffer",
    "ChannelShuffle",
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
    "CosineSimilarity",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
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
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "Highway",
    "HighwayCell",
    "HighwayRNN",
    "Identity",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "KVCache",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
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
    "Mish",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiheadAttention",
    "PReLU",
    "PairwiseDistance",
    "Parallel",
    "Parameter",
    "ParameterList",
    "PixelShuffle",
    "PixelUnshuffle",
    "PositionalEncoding",
    "RMSNorm",
    "RNNCell",
    "RReLU",
    "ReLU",
    "ReLU6",
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
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Step",
    "StepStrict",
    "StochasticDepth",
    "Tanh",
    "Tanhshrink",
    "Threshold",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "Unflatten",
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
