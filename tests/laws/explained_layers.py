"""Models for `explain`: every kind of layer on images, signals, ids and features, small enough to be shown whole."""

from functools import cache

import numpy as np

import chainrule as cr
from chainrule import nn


def drawn(*shape):
    return np.random.default_rng(7).standard_normal(shape)


def of_images(middle, x, channels=2, first=True):
    """A layer between a convolution with one weight a channel pair, and the loss: its input has a derivative."""
    axes = x.ndim - 2
    conv = getattr(nn, f"Conv{axes}d")
    before = {"before": conv(x.shape[1], channels, 1)} if first else {}
    return nn.Sequential(**before, layer=middle, act=nn.Tanh()), x


def of_features(middle, n=5, width=3, inner=4):
    return nn.Sequential(before=nn.Linear(width, inner), layer=middle, act=nn.Tanh()), drawn(n, width)


SIGNAL, IMAGE, VOLUME = (2, 1, 5), (2, 2, 4, 4), (1, 1, 3, 3, 3)

CONVOLUTIONS = {
    "a kernel of 3": lambda: of_images(nn.Conv1d(1, 1, 3), drawn(1, 1, 5), 1),
    "zeros around": lambda: of_images(nn.Conv1d(1, 1, 3, padding=1), drawn(*SIGNAL), 1),
    "circular": lambda: of_images(nn.Conv1d(1, 1, 3, padding=1, padding_mode="circular"), drawn(*SIGNAL), 1),
    "stride 2": lambda: of_images(nn.Conv1d(1, 2, 2, stride=2), drawn(*SIGNAL), 1),
    "longer signals": lambda: of_images(nn.Conv1d(2, 3, 3, padding="same"), drawn(2, 1, 12)),
    "images": lambda: of_images(nn.Conv2d(2, 3, 3, padding=1), drawn(*IMAGE)),
    "no bias, strides": lambda: of_images(nn.Conv2d(2, 2, (2, 1), stride=(2, 1), bias=False), drawn(*IMAGE)),
    "dilation": lambda: of_images(nn.Conv2d(2, 2, 2, dilation=2), drawn(*IMAGE)),
    "groups": lambda: of_images(nn.Conv2d(2, 4, 2, groups=2), drawn(*IMAGE)),
    "reflected": lambda: of_images(nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect"), drawn(*IMAGE)),
    "replicated": lambda: of_images(nn.Conv2d(2, 2, 3, padding=1, padding_mode="replicate"), drawn(*IMAGE)),
    "uneven padding": lambda: of_images(nn.Conv2d(2, 2, 2, padding=((0, 1), (1, 0))), drawn(*IMAGE)),
    "volumes": lambda: of_images(nn.Conv3d(1, 2, 2, padding=1), drawn(*VOLUME), 1),
}
TRANSPOSED = {
    "signals": lambda: of_images(nn.ConvTranspose1d(1, 1, 3), drawn(*SIGNAL), 1),
    "stride and padding": lambda: of_images(nn.ConvTranspose1d(1, 2, 3, stride=2, padding=1), drawn(2, 1, 3), 1),
    "images": lambda: of_images(nn.ConvTranspose2d(2, 1, 2, stride=2), drawn(2, 2, 3, 3)),
    "groups": lambda: of_images(nn.ConvTranspose2d(2, 4, 2, groups=2, bias=False), drawn(2, 2, 3, 3)),
    "output padding": lambda: of_images(nn.ConvTranspose2d(2, 1, 2, stride=2, output_padding=1), drawn(1, 2, 2, 2)),
    "dilation": lambda: of_images(nn.ConvTranspose2d(2, 2, 2, dilation=2), drawn(1, 2, 2, 2)),
    "volumes": lambda: of_images(nn.ConvTranspose3d(1, 1, 2), drawn(1, 1, 2, 2, 2), 1),
}
POOLS = {
    "max": lambda: of_images(nn.MaxPool2d(2), drawn(*IMAGE)),
    "max, overlapping": lambda: of_images(nn.MaxPool2d(3, stride=1, padding=1), drawn(*IMAGE)),
    "max of signals": lambda: of_images(nn.MaxPool1d(2, ceil_mode=True), drawn(*SIGNAL), 1),
    "max, dilation": lambda: of_images(nn.MaxPool1d(2, stride=1, dilation=2), drawn(*SIGNAL), 1),
    "max of volumes": lambda: of_images(nn.MaxPool3d(2), drawn(1, 1, 4, 4, 2), 1),
    "max, ties": lambda: of_images(nn.MaxPool2d(2), np.ones(IMAGE)),
    "adaptive max": lambda: of_images(nn.AdaptiveMaxPool2d((2, 3)), drawn(*IMAGE)),
    "mean": lambda: of_images(nn.AvgPool2d(2), drawn(*IMAGE)),
    "mean, padding counted": lambda: of_images(nn.AvgPool2d(3, stride=2, padding=1), drawn(*IMAGE)),
    "mean, padding not counted": lambda: of_images(
        nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False), drawn(*IMAGE)
    ),
    "mean, windows beyond the end": lambda: of_images(nn.AvgPool1d(2, ceil_mode=True), drawn(*SIGNAL), 1),
    "adaptive mean": lambda: of_images(nn.AdaptiveAvgPool2d(3), drawn(*IMAGE)),
    "adaptive mean, whole": lambda: of_images(nn.AdaptiveAvgPool2d(1), drawn(*IMAGE)),
    "global mean": lambda: of_images(nn.GlobalAvgPool(), drawn(*IMAGE)),
}
NORMS = {
    "batch norm": lambda: of_features(nn.BatchNorm1d(4)),
    "batch norm, evaluation": lambda: of_features(nn.BatchNorm1d(4).eval()),
    "batch norm, biased": lambda: of_features(nn.BatchNorm1d(4, momentum=None, biased_running_var=True)),
    "batch norm, bare": lambda: of_features(nn.BatchNorm1d(4, affine=False)),
    "batch norm of signals": lambda: of_images(nn.BatchNorm1d(2), drawn(*SIGNAL)),
    "batch norm of images": lambda: of_images(nn.BatchNorm2d(2), drawn(2, 2, 2, 2)),
    "batch norm of images, evaluation": lambda: of_images(nn.BatchNorm2d(2).eval(), drawn(2, 2, 2, 2)),
    "batch norm of volumes": lambda: of_images(nn.BatchNorm3d(2), drawn(2, 1, 2, 2, 2)),
    "layer norm": lambda: of_features(nn.LayerNorm(4)),
    "layer norm of images": lambda: of_images(nn.LayerNorm((2, 2, 2)), drawn(2, 2, 2, 2)),
    "group norm": lambda: of_images(nn.GroupNorm(2, 4), drawn(2, 2, 2, 2), 4),
    "group norm of features": lambda: of_features(nn.GroupNorm(2, 4)),
    "instance norm": lambda: of_images(nn.InstanceNorm2d(2), drawn(2, 2, 2, 2)),
    "instance norm, affine": lambda: of_images(nn.InstanceNorm2d(2, affine=True), drawn(2, 2, 2, 2)),
    "rms norm": lambda: of_features(nn.RMSNorm(4)),
    "rms norm, bare": lambda: of_features(nn.RMSNorm(4, eps=1e-3, elementwise_affine=False)),
}
MAPS = {
    "nearest": lambda: of_images(nn.Upsample(scale_factor=2), drawn(1, 2, 2, 2)),
    "bilinear": lambda: of_images(nn.Upsample(scale_factor=2, mode="bilinear"), drawn(1, 2, 2, 2)),
    "linear": lambda: of_images(nn.Upsample(size=7, mode="linear"), drawn(*SIGNAL)),
    "shuffle": lambda: of_images(nn.PixelShuffle(2), drawn(1, 2, 2, 2), 4),
    "unshuffle": lambda: of_images(nn.PixelUnshuffle(2), drawn(1, 2, 2, 2)),
    "channels dealt out": lambda: of_images(nn.ChannelShuffle(2), drawn(1, 2, 2, 2), 4),
    "windows": lambda: of_images(nn.Unfold(2), drawn(1, 2, 3, 3)),
    "windows put back": lambda: of_images(nn.Fold((4, 3), 2), drawn(2, 4, 6), 4),
    "mirrored": lambda: of_images(nn.ReflectionPad2d(1), drawn(1, 2, 2, 2)),
    "one number": lambda: of_images(nn.ConstantPad1d(1, 3.0), drawn(*SIGNAL)),
    "zeros": lambda: of_images(nn.ZeroPad2d(1), drawn(1, 2, 2, 2)),
    "edges": lambda: of_images(nn.ReplicationPad1d(2), drawn(*SIGNAL)),
    "other end": lambda: of_images(nn.CircularPad1d(2), drawn(*SIGNAL)),
}
DROPOUTS = {
    "dropout": lambda: of_features(nn.Dropout(0.5)),
    "dropout of images": lambda: of_images(nn.Dropout(0.25), drawn(*IMAGE)),
    "channels": lambda: of_images(nn.Dropout2d(0.5), drawn(3, 2, 2, 2)),
    "channels of signals": lambda: of_images(nn.Dropout1d(0.5), drawn(3, 2, 3), 2),
}
IDS = np.array([[1, 3, 3], [4, 1, 0]])


def of_ids(padding_idx=None, size=5):
    return nn.Sequential(layer=nn.Embedding(size, 2, padding_idx), flat=nn.Flatten(), fc=nn.Linear(6, 2)), IDS


EMBEDDINGS = {
    "ids": of_ids,
    "padding": lambda: of_ids(0),
    "a larger vocabulary": lambda: of_ids(None, 40),
}
SHAPES = {
    "flatten": lambda: of_images(nn.Flatten(), drawn(*IMAGE)),
    "unflatten": lambda: of_features(nn.Unflatten(1, (2, 2))),
}

FAMILIES = {
    "convolution": CONVOLUTIONS,
    "transposed convolution": TRANSPOSED,
    "pooling": POOLS,
    "norm": NORMS,
    "linear map": MAPS,
    "dropout": DROPOUTS,
    "embedding": EMBEDDINGS,
    "shape": SHAPES,
}
ALL = {f"{family}: {name}": make for family, cases in FAMILIES.items() for name, make in cases.items()}


@cache
def explained(make, layout="rows"):
    """A model of these tables explained, with weights that are not those it starts from; for looking only."""
    cr.seed(0)
    model, x = make()
    rng = np.random.default_rng(3)
    for p in model.parameters():
        p.assign((p.data + rng.standard_normal(p.shape) / 2).astype(p.dtype))
    layer = dict(model.named_children())["layer"]
    for _, buffer in layer.named_buffers():
        if buffer.dtype.kind == "f":
            buffer.assign(np.abs(buffer.data + rng.standard_normal(buffer.shape) / 4).astype(buffer.dtype))
    if isinstance(layer, nn.Embedding) and layer.padding_idx is not None:
        layer.weight.data[layer.padding_idx] = 0
    return model, x, cr.explain(model, x, target(model, x), "half-squared", layout=layout)


def target(model, x):
    """Targets of the shape of the result, at a distance."""
    shape = model(cr.tensor(x if x.dtype.kind == "i" else x.astype(np.float32))).shape
    return np.random.default_rng(11).standard_normal(shape)
