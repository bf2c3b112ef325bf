"""The primitives whose generic kernels use nothing but `xp(x).name(...)`, operators and shapes.

They run on arrays of every backend. A primitive that is not named here and for which a backend has no kernel of
its own is computed by NumPy, with its arrays moved to the host and back: right everywhere, slow on a GPU.
"""

from __future__ import annotations

ENTRYWISE = """
    abs acos acosh add asin asinh atan atan2 atanh ceil cos cosh divide elu equal erf erfc exp expm1 floor gelu
    gelu_tanh greater greater_equal hold hypot leaky_relu less less_equal log log10 log1p log2 log_sigmoid
    logaddexp logical_and logical_not logical_or maximum minimum multiply negative not_equal prelu raise_both
    raise_to relu remainder round selu sigmoid sigmoid_cross_entropy sign silu sin sinh softplus sqrt square
    subtract tan tanh trunc
"""

OTHERS = """
    affine argmax argmin argsort broadcast_to choose concatenate contract cumprod cumsum euclidean exp2 fold
    highway highway_back index isfinite isinf isnan log_softmax logsumexp matmul max_pool max_pool_gather
    max_pool_spread max_reduce mean min_reduce pad permute prod resample reshape softmax sum take_at unfold
    unstack
"""

NEUTRAL = frozenset((ENTRYWISE + OTHERS).split())

LIKE_NUMPY = NEUTRAL | {"irfft", "rfft"}
"""The same where arrays have NumPy's methods too, as JAX's."""

WRITABLE = NEUTRAL | {"turn", "highway_rnn", "highway_rnn_back", "residual_rnn", "residual_rnn_back"}
"""The same where arrays can be written to, as PyTorch's."""
