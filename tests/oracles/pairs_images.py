"""Layers on signals, images and volumes: configurations of ours and PyTorch's."""

from chainrule import nn
from tests.oracles.pairing import Formula, Pair, each, of_both, paired

NUMBERS = (1, 2, 3)


def over_axes(*kinds):
    return [f"{kind}{axes}d" for kind in kinds for axes in NUMBERS]


def axes_of(name):
    return int(name[-2])


def reach(kernel, dilation, axes):
    """How far a kernel reaches, an axis."""
    return tuple(d * (k - 1) + 1 for d, k in zip(each(dilation, axes), each(kernel, axes), strict=True))


@paired(*over_axes("Conv"))
def convolution(name, draw):
    axes, groups = axes_of(name), draw.one_of(1, 1, 2, 3)
    channels = groups * draw.size(1, 2), groups * draw.size(1, 2)
    kernel, dilation = draw.per_axis(axes, 1, 3), draw.per_axis(axes, 1, 2)
    padding = draw.one_of("same", "valid", *[draw.per_axis(axes, 0, 2)] * 5)
    settings = {
        "stride": 1 if padding == "same" else draw.per_axis(axes, 1, 3),
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
        "bias": draw.chance(0.7),
        "padding_mode": draw.one_of("zeros", "zeros", "circular", "reflect", "replicate"),
    }
    least = tuple(max(r, 3) for r in reach(kernel, dilation, axes))  # "reflect" needs more than the padding
    x = draw.normal(draw.size(1, 3), channels[0], *draw.grown(least))
    return Pair(*of_both(name, *channels, kernel, **settings), (x,))


@paired(*over_axes("ConvTranspose"))
def transposed_convolution(name, draw):
    axes, groups = axes_of(name), draw.one_of(1, 1, 2)
    channels = groups * draw.size(1, 2), groups * draw.size(1, 2)
    kernel, stride = draw.per_axis(axes, 2, 3), draw.per_axis(axes, 1, 3)
    settings = {
        "stride": stride,
        "padding": draw.per_axis(axes, 0, 1),
        "output_padding": tuple(draw.size(0, s - 1) for s in each(stride, axes)),
        "groups": groups,
        "bias": draw.chance(0.7),
        "dilation": draw.per_axis(axes, 1, 2),
    }
    x = draw.normal(draw.size(1, 3), channels[0], *draw.grown((2,) * axes))
    return Pair(*of_both(name, *channels, kernel, **settings), (x,))


def pool_settings(draw, axes):
    stride = draw.one_of(None, draw.per_axis(axes, 1, 3))
    return {"stride": stride, "padding": draw.per_axis(axes, 0, 1), "ceil_mode": draw.chance()}


@paired(*over_axes("MaxPool"))
def max_pooling(name, draw):
    axes = axes_of(name)
    kernel, dilation = draw.per_axis(axes, 2, 3), draw.per_axis(axes, 1, 2)
    x = draw.apart(*draw.shape(2, most=2), *draw.grown(reach(kernel, dilation, axes), 3))
    return Pair(*of_both(name, kernel, dilation=dilation, **pool_settings(draw, axes)), (x,))


@paired(*over_axes("AvgPool"))
def average_pooling(name, draw):
    axes = axes_of(name)
    kernel = draw.per_axis(axes, 2, 3)
    x = draw.normal(*draw.shape(2, most=2), *draw.grown(each(kernel, axes), 3))
    return Pair(*of_both(name, kernel, count_include_pad=draw.chance(), **pool_settings(draw, axes)), (x,))


@paired(*over_axes("AdaptiveAvgPool", "AdaptiveMaxPool"))
def adaptive_pooling(name, draw):
    axes = axes_of(name)
    target = draw.per_axis(axes, 1, 5)
    if not isinstance(target, int) and draw.chance(0.3):
        target = (None, *target[1:])
    return Pair(*of_both(name, target), (draw.apart(*draw.shape(2, most=2), *draw.shape(axes, most=7)),))


@paired(*over_axes("LPPool"))
def power_pooling(name, draw):
    axes, p = axes_of(name), draw.one_of(1, 2, 3)
    kernel = draw.per_axis(axes, 2, 3)
    x = draw.normal(*draw.shape(2, most=2), *draw.grown(each(kernel, axes), 3))
    return Pair(*of_both(name, p, kernel, draw.one_of(None, draw.size(1, 3))), (x if p == 2 else abs(x),))


@paired(*over_axes("Dropout"))
def channel_dropout(name, draw):
    """What is random in it is in the laws; here is what is not: evaluation, and p of 0 and 1."""
    x = draw.normal(*draw.shape(2 + axes_of(name)))
    if draw.chance():
        return Pair(*of_both(name, draw.real(0, 1)), (x,), phases=("eval",))
    return Pair(*of_both(name, float(draw.chance())), (x,))


@paired("Softmax2d")
def softmax_of_channels(name, draw):
    return Pair(*of_both(name), (draw.normal(*draw.shape(draw.one_of(3, 4))),))


@paired("PixelShuffle", "PixelUnshuffle", "ChannelShuffle")
def shuffling(name, draw):
    r, (n, c, h, w) = draw.size(1, 3), draw.shape(4, most=3)
    shapes = {
        "PixelShuffle": (n, c * r * r, h, w),
        "PixelUnshuffle": (n, c, h * r, w * r),
        "ChannelShuffle": (n, c * r, h, w),
    }
    return Pair(*of_both(name, r), (draw.normal(*shapes[name]),))


@paired("GlobalAvgPool")
def global_pooling(name, draw):
    axes, ours = draw.one_of(*NUMBERS), nn.GlobalAvgPool()
    theirs = Formula(ours, lambda p, x: x.mean(tuple(range(2, 2 + axes))))
    return Pair(ours, theirs, (draw.normal(*draw.shape(2 + axes)),))


@paired("Upsample")
def upsampling(name, draw):
    axes = draw.one_of(*NUMBERS)
    mode = draw.one_of("nearest", ("linear", "bilinear", "trilinear")[axes - 1])
    factor = draw.one_of(2, 3, 1.5, 0.7, tuple(draw.one_of(2.0, 1.5, 0.7) for _ in range(axes)))
    settings = {"mode": mode, **draw.one_of({"size": draw.per_axis(axes, 1, 7)}, {"scale_factor": factor})}
    if mode != "nearest":
        settings["align_corners"] = draw.one_of(True, False, None)
    return Pair(*of_both(name, **settings), (draw.normal(*draw.shape(2, most=2), *draw.shape(axes, 2, 6)),))


def window_settings(draw):
    kernel, dilation = draw.per_axis(2, 1, 3), draw.per_axis(2, 1, 2)
    settings = kernel, dilation, draw.per_axis(2, 0, 1), draw.per_axis(2, 1, 2)
    return settings, draw.grown(reach(kernel, dilation, 2))


@paired("Unfold")
def unfold(name, draw):
    settings, size = window_settings(draw)
    return Pair(*of_both(name, *settings), (draw.normal(*draw.shape(2, most=3), *size),))


@paired("Fold")
def fold(name, draw):
    settings, size = window_settings(draw)
    columns = nn.Unfold(*settings)(draw.normal(*draw.shape(2, most=3), *size))
    return Pair(*of_both(name, size, *settings), (draw.normal(*columns.shape),))


@paired(*over_axes("ZeroPad", "ReflectionPad", "ReplicationPad", "CircularPad", "ConstantPad"))
def padding(name, draw):
    axes = axes_of(name)
    widths = draw.one_of(draw.size(0, 2), draw.shape(2 * axes, 0, 2))
    value = (draw.real(-2, 2),) if name.startswith("Constant") else ()
    return Pair(*of_both(name, widths, *value), (draw.normal(*draw.shape(2, most=3), *draw.shape(axes, 3, 6)),))


@paired(*over_axes("BatchNorm"))
def batch_norm(name, draw):
    """Two batches in training, another in evaluation: outputs, gradients and the running statistics after each."""
    axes = axes_of(name)
    places = draw.shape(axes if axes > 1 or draw.chance() else 0, 2, 4)
    shape = draw.size(4, 6), draw.size(1, 3), *places
    settings = {"eps": draw.one_of(1e-5, 1e-3), "momentum": draw.one_of(0.1, 0.5, None, 1.0)}
    ours, theirs = of_both(name, shape[1], affine=draw.chance(0.7), **settings)
    return Pair(ours, theirs, (draw.normal(*shape) * 2 + 1,), phases=("train", "train", "eval"))


@paired("GroupNorm")
def group_norm(name, draw):
    groups = draw.size(1, 3)
    shape = draw.size(1, 3), groups * draw.size(1, 3), *draw.shape(draw.one_of(*NUMBERS), 3)
    settings = {"eps": draw.one_of(1e-5, 1e-2), "affine": draw.chance(0.7)}
    return Pair(*of_both(name, groups, shape[1], **settings), (draw.normal(*shape) + 1,))


@paired(*over_axes("InstanceNorm"))
def instance_norm(name, draw):
    shape = draw.shape(2, most=3) + draw.shape(axes_of(name), 3)
    settings = {"eps": draw.one_of(1e-5, 1e-2), "affine": draw.chance()}
    return Pair(*of_both(name, shape[1], **settings), (draw.normal(*shape) + 1,))
