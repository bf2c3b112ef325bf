"""The vocabulary: primitives by family, and the functions that users call."""

from chainrule.ops import cross_entropy  # noqa: F401 - registers the primitives that losses are made of
from chainrule.ops.activations import (
    elu,
    gelu,
    gelu_tanh,
    identity,
    leaky_relu,
    log_sigmoid,
    prelu,
    relu,
    selu,
    sigmoid,
    silu,
    softplus,
    step,
    step_strict,
)
from chainrule.ops.arithmetic import (
    abs,
    add,
    clip,
    divide,
    maximum,
    minimum,
    multiply,
    negative,
    power,
    sign,
    sqrt,
    square,
    subtract,
)
from chainrule.ops.comparison import equal, greater, greater_equal, less, less_equal, not_equal, where
from chainrule.ops.creation import (
    arange,
    dropout,
    eye,
    full,
    linspace,
    one_hot,
    ones,
    rand,
    randn,
    stop_gradient,
    tensor,
    zeros,
)
from chainrule.ops.elementary import cos, cosh, erf, exp, expm1, log, log1p, sin, sinh, tan, tanh
from chainrule.ops.linear_algebra import affine, dot, matmul, outer
from chainrule.ops.operands import astype, broadcast_to
from chainrule.ops.reductions import argmax, argmin, max, mean, min, norm, std, sum, var
from chainrule.ops.shapes import concatenate, expand_dims, flatten, reshape, squeeze, stack, transpose
from chainrule.ops.softmax import log_softmax, logsumexp, softmax

__all__ = [
    "abs", "add", "affine", "arange", "argmax", "argmin", "astype", "broadcast_to", "clip", "concatenate", "cos",
    "cosh", "divide", "dot", "dropout", "elu", "equal", "erf", "exp", "expand_dims", "expm1", "eye", "flatten",
    "full", "gelu", "gelu_tanh", "greater", "greater_equal", "identity", "leaky_relu", "less", "less_equal",
    "linspace", "log", "log1p", "log_sigmoid", "log_softmax", "logsumexp", "matmul", "max", "maximum", "mean", "min",
    "minimum", "multiply", "negative", "norm", "not_equal", "one_hot", "ones", "outer", "power", "prelu", "rand",
    "randn", "relu", "reshape", "selu", "sigmoid", "sign", "silu", "sin", "sinh", "softmax", "softplus", "sqrt",
    "square", "squeeze", "stack", "std", "step", "step_strict", "stop_gradient", "subtract", "sum", "tan", "tanh",
    "tensor", "transpose", "var", "where", "zeros",
]  # fmt: skip
