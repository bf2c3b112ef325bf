"""Where things are that users of PyTorch look for under other names."""

from __future__ import annotations

ELSEWHERE = {
    "cr": {
        "manual_seed": "cr.seed",
        "cat": "cr.concatenate",
        "from_numpy": "cr.tensor",
        "float32": '"float32", as in x.astype("float32")',
        "float64": '"float64", as in x.astype("float64")',
        "autograd": "cr.grad, cr.vjp, cr.jvp, cr.gradients",
        "no_gradient": "cr.no_grad",
        "clamp": "cr.clip",
        "pow": "cr.power",
        "mm": "cr.matmul",
        "bmm": "cr.matmul",
        "sub": "cr.subtract",
        "mul": "cr.multiply",
        "div": "cr.divide",
        "neg": "cr.negative",
        "unsqueeze": "cr.expand_dims",
        "permute": "x.permute",
        "amax": "cr.max",
        "amin": "cr.min",
        "movedim": "cr.moveaxis",
        "unbind": "cr.unstack",
        "repeat_interleave": "cr.repeat",
        "take_along_dim": "cr.take_along_axis",
        "topk": "cr.top_k",
        "absolute": "cr.abs",
        "arctan2": "cr.atan2",
        "eq": "cr.equal",
        "ne": "cr.not_equal",
        "lt": "cr.less",
        "le": "cr.less_equal",
        "gt": "cr.greater",
        "ge": "cr.greater_equal",
        "mv": "cr.matmul",
        "sgn": "cr.sign",
        "special": "cr.xlogy, cr.logit, cr.sinc, cr.erf, cr.logsumexp, …",
        "linalg": "cr.inv, cr.solve, cr.svd, cr.eigh, cr.norm, …: here by themselves",
    },
    "cr.nn": {
        "CrossEntropyLoss": "cr.losses.cross_entropy",
        "NLLLoss": "cr.losses.nll",
        "MSELoss": "cr.losses.mse",
        "L1Loss": "cr.losses.mae",
        "HuberLoss": "cr.losses.huber",
        "SmoothL1Loss": "cr.losses.huber",
        "BCELoss": "cr.losses.binary_cross_entropy",
        "BCEWithLogitsLoss": "cr.losses.binary_cross_entropy_with_logits",
        "KLDivLoss": "cr.losses.kl_divergence",
        "utils": "cr.optim.clip_grad_norm",
        "UpsamplingBilinear2d": "cr.nn.Upsample",
        "UpsamplingNearest2d": "cr.nn.Upsample",
    },
    "cr.nn.functional": {
        "relu": "cr.relu",
        "gelu": "cr.gelu",
        "softmax": "cr.softmax",
        "log_softmax": "cr.log_softmax",
        "dropout": "cr.dropout",
        "linear": "cr.affine",
        "one_hot": "cr.one_hot",
        "pad": "cr.pad",
        "interpolate": "cr.upsample",
        "normalize": "cr.normalize",
        "conv2d": "cr.conv2d",
        "max_pool2d": "cr.max_pool",
        "avg_pool2d": "cr.avg_pool",
        "adaptive_avg_pool2d": "cr.adaptive_avg_pool",
        "embedding": "cr.embedding",
        "scaled_dot_product_attention": "cr.scaled_dot_product_attention",
        "cosine_similarity": "cr.cosine_similarity",
        "gumbel_softmax": "cr.gumbel_softmax",
        "pixel_shuffle": "cr.pixel_shuffle",
        "cross_entropy": "cr.losses.cross_entropy",
        "mse_loss": "cr.losses.mse",
        "binary_cross_entropy_with_logits": "cr.losses.binary_cross_entropy_with_logits",
    },
    "cr.optim": {
        "RMSProp": "cr.optim.RMSprop",
        "AdaGrad": "cr.optim.Adagrad",
        "lr_scheduler": "cr.optim.Cosine, cr.optim.StepDecay, …: functions of the step",
        "clip_grad_norm_": "cr.optim.clip_grad_norm",
        "clip_grad_value_": "cr.optim.clip_grad_value",
    },
}
"""By place, what PyTorch has there, and what it is here."""


def missing(place: str, name: str) -> AttributeError:
    """The error for a name that is not there, which says where the thing meant is.

    >>> print(missing("cr.nn", "MSELoss"))
    cr.nn has no MSELoss; here it is cr.losses.mse
    """
    here = ELSEWHERE.get(place, {}).get(name)
    return AttributeError(f"{place} has no {name}" + (f"; here it is {here}" if here else ""))
