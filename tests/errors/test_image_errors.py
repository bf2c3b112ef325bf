"""The whole text of each message of convolution, pooling, padding and the norms of images."""

import re

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.base.errors import OptionError, ShapeError


def refuses(kind, text):
    return pytest.raises(kind, match=f"^{re.escape(text)}$")


def zeros(*shape):
    return np.zeros(shape, np.float32)


@pytest.mark.parametrize(
    ("layer", "shape", "text"),
    [
        (
            nn.Conv2d(3, 8, 3),
            (2, 30, 32, 3),
            "Conv2d expects 3 channels, got 30.\n"
            "  layer   Conv2d(3 → 8, kernel 3)\n"
            "  input   (2, 30, 32, 3)   axis 1 = 30\n"
            "  try     x.transpose(0, 3, 1, 2) (channels are axis 1, not the last)",
        ),
        (
            nn.Conv1d(4, 2, 3, stride=2),
            (8, 20, 4),
            "Conv1d expects 4 channels, got 20.\n"
            "  layer   Conv1d(4 → 2, kernel 3, stride 2)\n"
            "  input   (8, 20, 4)   axis 1 = 20\n"
            "  try     x.transpose(0, 2, 1) (channels are axis 1, not the last)",
        ),
        (
            nn.Conv2d(3, 8, 3, padding="same"),
            (3, 2, 32, 32),
            "Conv2d expects 3 channels, got 2.\n"
            "  layer   Conv2d(3 → 8, kernel 3, padding same)\n"
            "  input   (3, 2, 32, 32)   axis 1 = 2\n"
            "  try     x.transpose(1, 0, 2, 3) (the batch is axis 0, channels are axis 1)",
        ),
        (
            nn.Conv2d(1, 8, (3, 5), padding=1, bias=False),
            (2, 4, 32, 32),
            "Conv2d expects 1 channel, got 4.\n"
            "  layer   Conv2d(1 → 8, kernel 3x5, padding 1, no bias)\n"
            "  input   (2, 4, 32, 32)   axis 1 = 4\n"
            "  try     Conv2d(4, 8, (3, 5))",
        ),
        (
            nn.Conv2d(3, 8, 3),
            (3, 32, 32),
            "Conv2d expects (n, 3, height, width), got (3, 32, 32).\n"
            "  layer   Conv2d(3 → 8, kernel 3)\n"
            "  input   (3, 32, 32)   3 axes\n"
            "  try     x[None] adds the axis of the batch (one example)",
        ),
        (
            nn.Conv2d(1, 8, 3),
            (64, 28, 28),
            "Conv2d expects (n, 1, height, width), got (64, 28, 28).\n"
            "  layer   Conv2d(1 → 8, kernel 3)\n"
            "  input   (64, 28, 28)   3 axes\n"
            "  try     x[:, None] adds the axis of the one channel",
        ),
        (
            nn.Conv2d(1, 8, 3),
            (64, 784),
            "Conv2d expects (n, 1, height, width), got (64, 784).\n"
            "  layer   Conv2d(1 → 8, kernel 3)\n"
            "  input   (64, 784)   2 axes\n"
            "  try     x.reshape(len(x), 1, height, width): rows of pixels are no images",
        ),
        (
            nn.Conv1d(2, 8, 3),
            (64,),
            "Conv1d expects (n, 2, length), got (64,).\n"
            "  layer   Conv1d(2 → 8, kernel 3)\n"
            "  input   (64,)   1 axis\n"
            "  try     x.reshape(n, 2, length)",
        ),
        (
            nn.Conv2d(3, 8, 5),
            (2, 3, 4, 6),
            "A kernel of 5 x 5 does not fit into an input of 4 x 6.\n"
            "  layer   Conv2d(3 → 8, kernel 5)\n"
            "  input   (2, 3, 4, 6)\n"
            "  try     padding, so that 4 x 6 becomes 5 x 6 or more; or a smaller kernel",
        ),
        (
            nn.Conv2d(2, 8, 3, dilation=3, groups=2),
            (2, 2, 4, 8),
            "A kernel of 3 x 3 does not fit into an input of 4 x 8.\n"
            "  layer   Conv2d(2 → 8, kernel 3, dilation 3, 2 groups)\n"
            "  input   (2, 2, 4, 8)\n"
            "  kernel  reaches over 7 x 7 with its dilation\n"
            "  try     padding, so that 4 x 8 becomes 7 x 8 or more; or a smaller kernel",
        ),
        (
            nn.Conv2d(1, 1, 3, padding=2, padding_mode="reflect"),
            (1, 1, 2, 5),
            "Reflect padding of 2 needs an axis longer than 2.\n"
            "  layer   Conv2d(1 → 1, kernel 3, padding 2 reflect)\n"
            "  input   (1, 1, 2, 5)\n"
            "  axis    2",
        ),
        (
            nn.ConvTranspose2d(4, 2, 3, stride=2, output_padding=1),
            (1, 3, 4, 4),
            "ConvTranspose2d expects 4 channels, got 3.\n"
            "  layer   ConvTranspose2d(4 → 2, kernel 3, stride 2, output_padding 1)\n"
            "  input   (1, 3, 4, 4)   axis 1 = 3\n"
            "  try     ConvTranspose2d(3, 2, 3)",
        ),
        (
            nn.MaxPool2d(2),
            (3, 8, 1, 4),
            "max_pool: a window of 2 does not fit into an axis of 1 with padding 0.\n"
            "  layer   MaxPool2d(kernel 2, stride 2)\n"
            "  input   (3, 8, 1, 4)\n"
            "  try     a smaller kernel, padding, or fewer pooling layers before",
        ),
        (
            nn.AvgPool2d(2, padding=1),
            (8, 4, 4),
            "AvgPool2d expects (n, channels, height, width), got (8, 4, 4).\n"
            "  layer   AvgPool2d(kernel 2, stride 2, padding 1)\n"
            "  input   (8, 4, 4)   3 axes\n"
            "  try     x[None] adds the axis of the batch (one example)",
        ),
        (
            nn.GlobalAvgPool(),
            (8, 4),
            "global_avg_pool takes (n, c, *size), got (8, 4).\n"
            "  layer   GlobalAvgPool()\n"
            "  try     x[None] adds the axis of the batch",
        ),
        (
            nn.Linear(9216, 10),
            (2, 64, 12, 12),
            "Linear expects 9216 input features, got 12.\n"
            "  layer   Linear(9216 → 10)\n"
            "  input   (2, 64, 12, 12)   axis −1 = 12\n"
            "  try     put Flatten() before it, or x.reshape(len(x), -1)",
        ),
        (
            nn.BatchNorm2d(8),
            (4, 5, 5, 8),
            "BatchNorm2d expects 8 channels, got 5.\n"
            "  layer   BatchNorm2d(8)\n"
            "  input   (4, 5, 5, 8)   axis 1 = 5\n"
            "  try     x.transpose(0, 3, 1, 2) (channels are axis 1, not the last)",
        ),
        (
            nn.BatchNorm2d(8),
            (1, 8, 1, 1),
            "BatchNorm2d needs two values a feature or more to train on, got 1.\n"
            "  layer   BatchNorm2d(8)\n"
            "  input   (1, 8, 1, 1)\n"
            "  try     a batch of two or more (drop_last=True), or model.eval()",
        ),
        (
            nn.InstanceNorm2d(8),
            (4, 8, 1, 1),
            "InstanceNorm2d needs two places a channel or more, got 1.\n"
            "  layer   InstanceNorm2d(8)\n"
            "  input   (4, 8, 1, 1)\n"
            "  try     fewer pooling layers before it, or GroupNorm",
        ),
        (
            nn.GroupNorm(2, 8),
            (4, 6, 3, 3),
            "GroupNorm expects 8 channels, got 6.\n"
            "  layer   GroupNorm(2 groups of 8 channels)\n"
            "  input   (4, 6, 3, 3)   axis 1 = 6\n"
            "  try     GroupNorm(2, 6)",
        ),
        (
            nn.RMSNorm(8),
            (4, 6),
            "RMSNorm expects 8 in the last axis, got 6.\n  layer   RMSNorm(8)\n  input   (4, 6)",
        ),
        (
            nn.Upsample(scale_factor=2, mode="bilinear"),
            (1, 2, 3),
            'Upsampling by "bilinear" takes (n, c, *size) with 2 sizes, got (1, 2, 3).\n'
            "  layer   Upsample(x 2, bilinear)\n"
            '  try     mode="linear"',
        ),
        (
            nn.Fold((4, 4), 3),
            (1, 9, 5),
            "fold takes columns (n, c · 9, 4) for the size (4, 4), got (1, 9, 5).\n  layer   Fold(to (4, 4), kernel 3)",
        ),
        (
            nn.Fold(4, 3),
            (1, 9, 5),
            "fold takes columns (n, c · 9, 4) for the size (4, 4), got (1, 9, 5).\n  layer   Fold(to 4, kernel 3)",
        ),
        (
            nn.Unfold(5),
            (1, 2, 4, 4),
            "A window of (5, 5) does not fit into (4, 4) with padding ((0, 0), (0, 0)).\n  layer   Unfold(kernel 5)",
        ),
    ],
)
def test_inputs_that_do_not_fit(layer, shape, text):
    with refuses(ShapeError, text):
        layer(zeros(*shape))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: nn.Conv2d(4, 6, 3, groups=3),
            "3 groups do not divide the channels of Conv2d(4, 6, ...).\n  try     groups=2",
        ),
        (lambda: nn.Conv2d(0, 6, 3), "Conv2d needs one channel or more in and out, got Conv2d(0, 6, ...)."),
        (lambda: nn.Conv2d(3, 8, (3, 3, 3)), "kernel_size is a whole number of 1 or more or 2 of them, got (3, 3, 3)."),
        (lambda: nn.Conv1d(3, 8, 0), "kernel_size is a whole number of 1 or more, got 0."),
        (lambda: nn.Conv2d(3, 8, 1.5), "kernel_size is a whole number of 1 or more or 2 of them, got 1.5."),
        (
            lambda: nn.Fold(4.0, 3)(zeros(1, 9, 4)),
            "output_size is a whole number of 1 or more or 2 of them, got 4.0.\n  layer   Fold(to 4.0, kernel 3)",
        ),
        (
            lambda: nn.Conv2d(3, 8, 3, stride=2, padding="same"),
            'padding="same" has no meaning with a stride of (2, 2).\n  try     padding=kernel // 2',
        ),
        (
            lambda: nn.Conv2d(3, 8, 3, padding="some"),
            'There is no padding \'some\'.\n  known   "valid", "same", or numbers',
        ),
        (
            lambda: nn.Conv2d(3, 8, 3, padding_mode="mirror"),
            "There is no padding_mode 'mirror'.\n  known   zeros, circular, reflect, replicate",
        ),
        (
            lambda: nn.Conv2d(3, 8, 3, padding=((1, 1), (0, 1), (2, 2))),
            "padding has a pair for each of 2 axes, got ((1, 1), (0, 1), (2, 2)).",
        ),
        (
            lambda: nn.ConvTranspose2d(4, 2, 3, output_padding=1),
            "output_padding is less than the stride, got 1 with stride 1.\n"
            "  try     output_padding=stride - 1 at most: it tells apart the sizes that a stride rounds together",
        ),
        (
            lambda: nn.MaxPool2d(2, padding=2)(zeros(1, 1, 4, 4)),
            "Padding is at most half of the kernel (2, 2), got (2, 2).\n"
            "  layer   MaxPool2d(kernel 2, stride 2, padding 2)",
        ),
        (
            lambda: nn.ZeroPad2d((1, 2, 3)),
            "ZeroPad2d takes a width of 0 or more or 4 of them, from the last axis to the first, got (1, 2, 3).",
        ),
        (lambda: nn.GroupNorm(3, 4), "GroupNorm: 3 groups do not divide 4 channels.\n  try     num_groups=2"),
        (lambda: nn.BatchNorm2d(0), "BatchNorm2d needs one feature or more, got 0."),
        (lambda: nn.RMSNorm(()), "RMSNorm needs sizes of 1 or more, got ()."),
        (
            lambda: cr.pad(zeros(2, 2), (1, 1)),
            "Padding takes a pair of widths of 0 or more for each axis, got (1, 1).\n"
            "  try     pad(x, [(1, 1), (2, 2)]), in the order of the axes",
        ),
        (
            lambda: cr.pad(zeros(2), [(1, 1)], "mirror"),
            "There is no padding mode 'mirror'.\n  known   constant, circular, reflect, replicate",
        ),
        (
            lambda: cr.correlate(zeros(2), zeros(3), "whole"),
            "There is no mode 'whole'.\n  known   valid, same, full, circular",
        ),
        (
            lambda: cr.upsample(zeros(1, 1, 2), 4, mode="cubic"),
            "There is no mode 'cubic'.\n  known   nearest, linear, bilinear, trilinear",
        ),
        (
            lambda: cr.upsample(zeros(1, 1, 2)),
            "Upsampling takes either a size or a scale_factor.\n  try     scale_factor=2",
        ),
        (
            lambda: cr.upsample(zeros(1, 1, 2), 4, align_corners=True),
            'align_corners has no meaning with mode="nearest".\n  try     mode="bilinear"',
        ),
        (
            lambda: cr.adaptive_avg_pool(zeros(1, 1, 2, 2), (1, 1, 1)),
            "output_size has a number for each of 2 axes, got (1, 1, 1).",
        ),
    ],
)
def test_settings_that_do_not_exist(make, text):
    with refuses(OptionError, text):
        make()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: cr.conv2d(zeros(2, 3, 8, 8), zeros(4, 2, 3, 3)),
            "Convolution with weights (4, 2, 3, 3) takes 2 channels, got 3.\n  input   (2, 3, 8, 8)   axis 1 = 3",
        ),
        (
            lambda: cr.conv2d(zeros(2, 2, 8, 8), zeros(3, 1, 3, 3), groups=2),
            "2 groups do not divide the 3 output channels of weights (3, 1, 3, 3).",
        ),
        (
            lambda: cr.conv2d(zeros(3, 8, 8), zeros(4, 3, 3, 3)),
            "Convolution with weights (4, 3, 3, 3) takes an input (n, 3, size, size), got (3, 8, 8).",
        ),
        (lambda: cr.conv1d(zeros(2, 3, 8), zeros(4, 3, 3, 3)), "conv1d takes weights of 3 axes, got (4, 3, 3, 3)."),
        (
            lambda: cr.conv1d(zeros(2, 3, 8), zeros(4, 3, 3), zeros(3)),
            "Expected a bias of shape (4,), got (3,).",
        ),
        (
            lambda: cr.conv_transpose1d(zeros(2, 3, 8), zeros(4, 2, 3)),
            "Transposed convolution with weights (4, 2, 3) takes an input (n, 4, size), got (2, 3, 8).",
        ),
        (
            lambda: cr.conv_transpose1d(zeros(2, 4, 1), zeros(4, 2, 3), padding=2),
            "A padding of 2 cuts everything off: the result would have the size (-1,).",
        ),
        (
            lambda: cr.correlate(zeros(5), zeros(3)),
            "A filter of shape (5,) does not lie within a signal of (3,).\n"
            "  try     the filter first, then the signal; or mode='full'",
        ),
        (
            lambda: cr.convolve(zeros(2, 2), zeros(3)),
            "A filter and a signal have the same number of axes, got (2, 2) and (3,).",
        ),
        (
            lambda: cr.circulant_matrix(zeros(2, 2), 3),
            "The matrix of a convolution is made of a filter with one axis, got (2, 2).",
        ),
        (lambda: cr.pad(zeros(2), [(1, 1), (1, 1)]), "2 pairs of widths for the 1 axes of (2,)."),
        (
            lambda: cr.unfold(zeros(2, 3), 2),
            "Windows of (2,) are taken from (n, c, *size) with 1 sizes, got (2, 3).",
        ),
    ],
)
def test_functions_on_shapes_that_do_not_fit(call, text):
    with refuses(ShapeError, text):
        call()
