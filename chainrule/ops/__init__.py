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
    tensor,
    zeros,
)
from chainrule.ops.elementary import cos, cosh, erf, exp, expm1, log, log1p, sin, sinh, tan, tanh
from chainrule.ops.linear_algebra import affine, dot, matmul, outer
from chainrule.ops.operands import astype, broadcast_to
from chainrule.ops.reductions import max, mean, min, std, sum, var
from chainrule.ops.shapes import concatenate, expand_dims, flatten, reshape, squeeze, stack, transpose
from chainrule.ops.softmax import log_softmax, logsumexp, softmax
from chainrule.ops.cumulative import cumprod, cumsum, logcumsumexp, prod
from chainrule.ops.decompositions import eigh, eigvalsh, qr, svd, svdvals
from chainrule.ops.determinants import det, logdet, slogdet
from chainrule.ops.diagonals import diag, diag_embed, diagonal, kron, trace, tril, triu
from chainrule.ops.draws import bernoulli, categorical, gumbel, gumbel_softmax, noise, normal, straight_through, uniform
from chainrule.ops.einsum import einsum, tensordot
from chainrule.ops.elementary import erfc, exp2, log2, log10
from chainrule.ops.fourier import complex_multiply, irfft, rfft
from chainrule.ops.indexing import index
from chainrule.ops.logic import isfinite, isinf, isnan, logical_and, logical_not, logical_or, masked_fill
from chainrule.ops.lookup import embedding, take_along_axis
from chainrule.ops.masks import additive_mask, causal_mask, global_mask, padding_mask, sliding_window_mask
from chainrule.ops.scores import additive_scores, attention_weights, dot_scores, scaled_dot_scores
from chainrule.ops.attention import blockwise_attention, scaled_dot_product_attention
from chainrule.ops.linear_attention import linear_attention
from chainrule.ops.positions import alibi, alibi_slopes, rotary, sinusoidal_positions
from chainrule.ops.matrix_norms import matrix_norm
from chainrule.ops.norms import cosine_similarity, norm, normalize
from chainrule.ops.operands import stop_gradient
from chainrule.ops.ordering import argmax, argmin, argsort, sort, top_k
from chainrule.ops.rearrangement import chunk, flip, moveaxis, repeat, roll, split, swapaxes, tile
from chainrule.ops.rounding import ceil, floor, remainder, round, trunc
from chainrule.ops.scattering import gather, index_add, index_put, scatter, scatter_add, take
from chainrule.ops.softmax import logaddexp
from chainrule.ops.systems import cholesky, inv, lstsq, pinv, solve
from chainrule.ops.trigonometry import acos, acosh, asin, asinh, atan, atan2, atanh, hypot
from chainrule.ops.unstacking import unstack
from chainrule.ops.chung_gru import chung_gru_cell
from chainrule.ops.gru import gru_cell
from chainrule.ops.lstm import lstm_cell
from chainrule.ops.recurrent import chung_gru, gru, lstm, rnn
from chainrule.ops.rnn import rnn_cell
from chainrule.ops.convolution import (
    conv, conv1d, conv2d, conv3d, conv_transpose, conv_transpose1d, conv_transpose2d, conv_transpose3d,
)  # fmt: skip
from chainrule.ops.padding import pad
from chainrule.ops.pooling import (
    adaptive_avg_pool, adaptive_max_pool, avg_pool, global_avg_pool, global_max_pool, max_pool,
)  # fmt: skip
from chainrule.ops.resampling import upsample
from chainrule.ops.signals import circulant_matrix, convolve, correlate, toeplitz_matrix
from chainrule.ops.unfolding import fold, unfold

__all__ = [
    "abs", "add", "affine", "arange", "argmax", "argmin", "astype", "broadcast_to", "clip", "concatenate", "cos",
    "cosh", "divide", "dot", "dropout", "elu", "equal", "erf", "exp", "expand_dims", "expm1", "eye", "flatten",
    "full", "gelu", "gelu_tanh", "greater", "greater_equal", "identity", "leaky_relu", "less", "less_equal",
    "linspace", "log", "log1p", "log_sigmoid", "log_softmax", "logsumexp", "matmul", "max", "maximum", "mean", "min",
    "minimum", "multiply", "negative", "norm", "not_equal", "one_hot", "ones", "outer", "power", "prelu", "rand",
    "randn", "relu", "reshape", "selu", "sigmoid", "sign", "silu", "sin", "sinh", "softmax", "softplus", "sqrt",
    "square", "squeeze", "stack", "std", "step", "step_strict", "stop_gradient", "subtract", "sum", "tan", "tanh",
    "tensor", "transpose", "var", "where", "zeros",
    "acos", "acosh", "argsort", "asin", "asinh", "atan", "atan2", "atanh", "bernoulli", "categorical", "ceil",
    "cholesky", "chunk", "complex_multiply", "cosine_similarity", "cumprod", "cumsum", "det", "diag",
    "diag_embed", "diagonal", "eigh", "eigvalsh", "einsum", "erfc", "exp2", "flip", "floor", "gather",
    "gumbel", "gumbel_softmax", "hypot", "index", "index_add", "index_put", "inv", "irfft", "isfinite",
    "isinf", "isnan", "kron", "log10", "log2", "logaddexp", "logcumsumexp", "logdet", "logical_and",
    "logical_not", "logical_or", "lstsq", "masked_fill", "matrix_norm", "moveaxis", "noise", "normal",
    "normalize", "pinv", "prod", "qr", "remainder", "repeat", "rfft", "roll", "round", "scatter",
    "scatter_add", "slogdet", "solve", "sort", "split", "straight_through", "svd", "svdvals", "swapaxes",
    "take", "take_along_axis", "tensordot", "tile", "top_k", "trace", "tril", "triu", "trunc", "uniform",
    "unstack", "chung_gru", "chung_gru_cell", "gru", "gru_cell", "lstm", "lstm_cell", "rnn", "rnn_cell",
    "additive_mask", "additive_scores", "attention_weights", "blockwise_attention", "causal_mask", "dot_scores",
    "embedding", "global_mask", "padding_mask", "scaled_dot_product_attention", "scaled_dot_scores",
    "sliding_window_mask", "alibi", "alibi_slopes", "linear_attention", "rotary", "sinusoidal_positions",
    "adaptive_avg_pool", "adaptive_max_pool", "avg_pool", "circulant_matrix", "conv", "conv1d", "conv2d", "conv3d", "conv_transpose",
    "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "convolve", "correlate", "fold", "global_avg_pool",
    "global_max_pool", "max_pool", "pad", "toeplitz_matrix", "unfold", "upsample",
]  # fmt: skip
