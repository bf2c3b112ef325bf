"""One of each layer on signals, images and volumes, and the shape of an input for it."""

from chainrule import nn

SIZES = {1: (6,), 2: (6, 5), 3: (4, 3, 5)}


def _of(axes, channels=4):
    return (3, channels, *SIZES[axes])


IMAGE_LAYERS = {"GlobalAvgPool": (nn.GlobalAvgPool, _of(2)), "GroupNorm": (lambda: nn.GroupNorm(2, 4), _of(2))}
for d in SIZES:
    IMAGE_LAYERS |= {
        f"Conv{d}d": (lambda d=d: getattr(nn, f"Conv{d}d")(4, 6, 3, padding=1, stride=2, groups=2), _of(d)),
        f"ConvTranspose{d}d": (lambda d=d: getattr(nn, f"ConvTranspose{d}d")(4, 2, 3, stride=2), _of(d)),
        f"InstanceNorm{d}d": (lambda d=d: getattr(nn, f"InstanceNorm{d}d")(4, affine=True), _of(d)),
    }
    for kind in ("MaxPool", "AvgPool", "AdaptiveAvgPool", "AdaptiveMaxPool", "ZeroPad", "ReflectionPad"):
        IMAGE_LAYERS[f"{kind}{d}d"] = (lambda kind=kind, d=d: getattr(nn, f"{kind}{d}d")(2), _of(d))
    for kind in ("ReplicationPad", "CircularPad"):
        IMAGE_LAYERS[f"{kind}{d}d"] = (lambda kind=kind, d=d: getattr(nn, f"{kind}{d}d")(1), _of(d))
    IMAGE_LAYERS[f"LPPool{d}d"] = (lambda d=d: getattr(nn, f"LPPool{d}d")(2, 2), _of(d))
    IMAGE_LAYERS[f"Dropout{d}d"] = (lambda d=d: getattr(nn, f"Dropout{d}d")(0.4), _of(d))
    IMAGE_LAYERS[f"ConstantPad{d}d"] = (lambda d=d: getattr(nn, f"ConstantPad{d}d")(1, 2.5), _of(d))
IMAGE_LAYERS |= {
    "BatchNorm2d": (lambda: nn.BatchNorm2d(4), _of(2)),
    "BatchNorm3d": (lambda: nn.BatchNorm3d(4), _of(3)),
    "ChannelShuffle": (lambda: nn.ChannelShuffle(2), _of(2)),
    "PixelShuffle": (lambda: nn.PixelShuffle(2), _of(2)),
    "PixelUnshuffle": (lambda: nn.PixelUnshuffle(2), (3, 2, 6, 4)),
    "Softmax2d": (nn.Softmax2d, _of(2)),
    "Fold": (lambda: nn.Fold((4, 3), 2), (2, 8, 6)),
    "RMSNorm": (lambda: nn.RMSNorm(5), _of(2)),
    "Unfold": (lambda: nn.Unfold(2), _of(2)),
    "Upsample": (lambda: nn.Upsample(scale_factor=2, mode="bilinear"), _of(2)),
}
